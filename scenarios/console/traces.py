"""A small collector: takes spans by OTLP over HTTP, keeps the latest traces in memory, and shows one as a tree."""

import math
from collections import Counter, OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as WireSpan, Status

from scenarios.console.fakes import UnknownError

KEPT = 500
MOST_SPANS = 2000
"""Spans kept of one trace. A try-on has some forty, one that polls for two minutes some hundred."""
WORKFLOW_ID = "temporalWorkflowID"
"""The attribute by which Temporal's interceptor names the workflow."""
SHOWN = ("http.response.status_code", "tryon.attempt", "tryon.code", "error.type")


@dataclass(frozen=True)
class Span:
    """One span. Times are Unix seconds."""

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    service: str
    began: float
    ended: float
    failed: bool
    attributes: dict[str, Any] = field(default_factory=dict)


class Traces:
    """The latest traces, by their ids and by the workflows in them."""

    def __init__(self) -> None:
        self._spans: OrderedDict[str, list[Span]] = OrderedDict()
        self._dropped: Counter[str] = Counter()
        self._of_workflow: dict[str, str] = {}

    def take(self, body: bytes) -> None:
        """Take an OTLP request, as the exporter for HTTP sends it.

        Raises:
            ValueError: it is something else.
        """
        for span in _spans(body):
            kept = self._spans.setdefault(span.trace_id, [])
            if len(kept) >= MOST_SPANS:
                self._dropped[span.trace_id] += 1
                continue
            kept.append(span)
            if workflow_id := span.attributes.get(WORKFLOW_ID):
                self._of_workflow[str(workflow_id)] = span.trace_id
        while len(self._spans) > KEPT:
            gone, _ = self._spans.popitem(last=False)
            del self._dropped[gone]
            self._of_workflow = {workflow: trace for workflow, trace in self._of_workflow.items() if trace != gone}

    def of(self, workflow_id: str) -> list[Span]:
        """Return the spans of a workflow's trace, in the order in which they began.

        Raises:
            UnknownError: nothing of it has arrived.
        """
        trace_id = self._of_workflow.get(workflow_id)
        if trace_id is None:
            raise UnknownError(f"no trace of {workflow_id!r} has arrived; spans come some seconds after they end")
        return sorted(self._spans[trace_id], key=lambda span: span.began)

    def dropped(self, workflow_id: str) -> int:
        """Return how many spans of a workflow's trace were too many to keep."""
        return self._dropped[self._of_workflow.get(workflow_id, "")]


def tree(spans: Sequence[Span], dropped: int = 0) -> str:
    """Return a trace as a tree of text: where in time, how long, and what came of it."""
    zero = min(span.began for span in spans)
    known = {span.span_id for span in spans}
    children: dict[str, list[Span]] = {}
    for span in spans:
        children.setdefault(span.parent_id if span.parent_id in known else "", []).append(span)

    more = f" and {dropped} more, which were not kept" if dropped else ""
    lines = [f"trace {spans[0].trace_id}, {len(spans)} spans{more}"]
    ahead = _last_first(children.get("", []), "")
    while ahead:  # no recursion: who sends spans decides how deep they are
        span, indent, last = ahead.pop()
        lines.append(f"{span.began - zero:8.2f} s {_took(span):>9}  {indent}{'└─ ' if last else '├─ '}{_words(span)}")
        ahead += _last_first(children.pop(span.span_id, []), indent + ("   " if last else "│  "))
    return "\n".join(lines)


def _last_first(members: Sequence[Span], indent: str) -> list[tuple[Span, str, bool]]:
    return [(span, indent, place == 0) for place, span in enumerate(reversed(members))]


def _took(span: Span) -> str:
    seconds = span.ended - span.began
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.2f} s"


def _words(span: Span) -> str:
    where = span.attributes.get("url.full") or span.attributes.get("url.path") or ""
    facts = " ".join(f"{name.rpartition('.')[2]}={span.attributes[name]}" for name in SHOWN if name in span.attributes)
    mark = " ✕" if span.failed else ""
    return " ".join(part for part in (f"{span.name}{mark}", str(where), facts, f"[{span.service}]") if part)


def _spans(body: bytes) -> Iterator[Span]:
    request = ExportTraceServiceRequest()
    try:
        request.ParseFromString(body)
    except Exception as error:
        raise ValueError("the body is no OTLP request for traces") from error
    for resource in request.resource_spans:
        service = str(_values(resource.resource.attributes).get("service.name", "?"))
        for scope in resource.scope_spans:
            for span in scope.spans:
                if span.trace_id and span.span_id:  # OTLP: without them a span is invalid
                    yield _span(span, service)


def _span(span: WireSpan, service: str) -> Span:
    return Span(
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        name=span.name,
        service=service,
        began=span.start_time_unix_nano / 1e9,
        ended=span.end_time_unix_nano / 1e9,
        failed=span.status.code == Status.STATUS_CODE_ERROR,
        attributes=_values(span.attributes),
    )


def _values(attributes: Sequence[KeyValue]) -> dict[str, Any]:
    return {one.key: _value(one.value) for one in attributes}


def _value(value: AnyValue) -> Any:
    """Return an attribute's value as JSON has it; bytes in hex, and what is no number in words."""
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    if kind == "array_value":
        return [_value(one) for one in value.array_value.values]
    if kind == "kvlist_value":
        return _values(value.kvlist_value.values)
    plain = getattr(value, kind)
    if isinstance(plain, bytes):
        return plain.hex()
    return str(plain) if isinstance(plain, float) and not math.isfinite(plain) else plain
