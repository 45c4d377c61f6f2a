"""Traces by OpenTelemetry, when OTEL_EXPORTER_OTLP_ENDPOINT says where to: one for each try-on, down to each call.

The variables are OpenTelemetry's own, read by its SDK. Without an endpoint nothing is imported, wrapped or sent.
"""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import httpx
from opentelemetry import trace
from structlog.typing import EventDict, WrappedLogger
from temporalio.client import Interceptor

if TYPE_CHECKING:
    from fastapi import FastAPI  # a worker serves nothing: it starts without it
    from opentelemetry.sdk.trace import TracerProvider

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
QUIET_PATHS = "livez,readyz,health"
"""Asked every few seconds by machines; nobody looks for their traces."""


class Telemetry:
    """What a process traces: its requests, its calls of Temporal and of the services. Without a provider: nothing."""

    def __init__(self, provider: "TracerProvider | None") -> None:
        """Send spans by this provider."""
        self._provider = provider

    @property
    def interceptors(self) -> Sequence[Interceptor]:
        """What the Temporal client needs; a worker takes it from its client."""
        if self._provider is None:
            return ()
        from temporalio.contrib.opentelemetry import TracingInterceptor  # noqa: PLC0415 - only where it is used

        return (TracingInterceptor(self._provider.get_tracer("app")),)

    def trace_calls(self, http: httpx.AsyncClient) -> None:
        """Make a span of each call that this client makes, and send the trace's id along."""
        if self._provider is not None:
            from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor  # noqa: PLC0415 - as above

            HTTPXClientInstrumentor.instrument_client(http, tracer_provider=self._provider)

    def trace_requests(self, app: "FastAPI") -> None:
        """Make a span of each request that this application answers."""
        if self._provider is not None:
            from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor  # noqa: PLC0415 - as above

            FastAPIInstrumentor.instrument_app(
                app, tracer_provider=self._provider, excluded_urls=QUIET_PATHS, exclude_spans=["receive", "send"]
            )

    def close(self) -> None:
        """Send what is left. Blocks for as long as OTEL_EXPORTER_OTLP_TIMEOUT at most."""
        if self._provider is not None:
            self._provider.shutdown()


def start_telemetry(service: str) -> Telemetry:
    """Return what traces a process under this name, by the OTEL_* variables; nothing without an endpoint."""
    if not any(os.environ.get(name) for name in ENDPOINTS):
        return Telemetry(None)
    os.environ.setdefault("OTEL_SEMCONV_STABILITY_OPT_IN", "http")  # the stable names of attributes, not the old ones
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - as above
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - as above
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - as above
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 - as above

    provider = TracerProvider(resource=Resource.create({"service.name": service}), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return Telemetry(provider)


def describe_attempt(step: str, number: int) -> None:
    """Write on the span of this attempt which step it is of, and the how manieth."""
    trace.get_current_span().set_attributes({"tryon.step": step, "tryon.attempt": number})


def describe_failure(code: str) -> None:
    """Write on the span of this attempt the code of its failure."""
    trace.get_current_span().set_attributes({"tryon.code": code, "error.type": code})


def add_trace(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Put the trace's and the span's id on a log line, where there is a trace."""
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = format(context.trace_id, "032x")
        event["span_id"] = format(context.span_id, "016x")
    return event
