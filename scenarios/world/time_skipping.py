"""The dev server with a clock for each workflow. The one module that knows the experimental time-skipping API."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from temporalio.client import Client, Interceptor, OutboundInterceptor, StartWorkflowInput, WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing._timeskipping import TimeSkippingConfig

from scenarios.processes.ports import HOST
from scenarios.processes.supervisor import Supervisor
from scenarios.stack.ports import Ports
from scenarios.stack.programs import Options, stages

# Without the first flag the API is refused; without the others each skip costs about a second of wall time.
SERVER_FLAGS = (
    "frontend.WorkflowTimeSkippingEnabled=true",
    'history.timerProcessorMaxTimeShift="1ms"',
    "history.timerProcessorMaxPollRPS=100000",
    "history.timerProcessorMaxPollHostRPS=100000",
    "history.transferProcessorMaxPollRPS=100000",
)
# The server's own limit is 200 skips for a workflow, after which its clock would silently be real.
MAX_SKIPS = 1_000_000


class SkipTime(Interceptor):
    """Stamps each started workflow with a time-skipping config of its own, looked up by its id.

    The SDK's skipper holds one config for a whole client, which scenarios side by side would share.
    """

    def __init__(self) -> None:
        self._in_real_time: set[str] = set()

    def in_real_time(self, workflow_id: str) -> None:
        """Let a workflow that is not started yet take real time."""
        self._in_real_time.add(workflow_id)

    def config(self, workflow_id: str) -> TimeSkippingConfig:
        """Return the config of one workflow."""
        return TimeSkippingConfig(enabled=workflow_id not in self._in_real_time, max_session_skip_count=MAX_SKIPS)

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002 - the SDK's name
        """Stamp what this client starts."""
        return _Stamp(next, self)


class _Stamp(OutboundInterceptor):
    def __init__(self, following: OutboundInterceptor, skip_time: SkipTime) -> None:
        super().__init__(following)
        self._skip_time = skip_time

    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:  # noqa: A002 - the SDK's name
        input.time_skipping_config = self._skip_time.config(input.id)._to_proto()  # noqa: SLF001 - there is no public way
        return await super().start_workflow(input)


def time_skipping_options(*parts: str, seed: int = 1) -> Options:
    """Return the options of a stack whose Temporal server skips time, with these parts beside it."""
    return Options(
        parts=frozenset({"temporal", *parts}),
        profile="instant",
        seed=seed,
        temporal_flags=[word for flag in SERVER_FLAGS for word in ("--dynamic-config-value", flag)],
        temporal_in_memory=True,
        temporal_ui=False,
    )


async def time_skipping_client(ports: Ports) -> Client:
    """Return a client whose workflows skip time, each by its own clock."""
    return await Client.connect(
        f"{HOST}:{ports.temporal}", data_converter=pydantic_data_converter, interceptors=[SkipTime()]
    )


@asynccontextmanager
async def time_skipping_server(home: Path) -> AsyncIterator[Client]:
    """Start a server on a free port, with its log in a folder, and yield a client of it."""
    ports = Ports.free()
    async with Supervisor(stages(ports, home, time_skipping_options()), home=home):
        yield await time_skipping_client(ports)
