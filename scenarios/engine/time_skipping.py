"""The dev server with a clock for each workflow. The one module that knows the experimental time-skipping API."""

import shutil
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from temporalio.client import Client, Interceptor, OutboundInterceptor, StartWorkflowInput, WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment
from temporalio.testing._timeskipping import TimeSkippingConfig

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
START_TRIES = 4


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


def temporal_binary() -> str:
    """Return the path of Temporal's command-line tool, which holds the dev server.

    Raises:
        FileNotFoundError: it is not installed.
    """
    beside_python = Path(sys.executable).with_name("temporal")
    found = str(beside_python) if beside_python.exists() else shutil.which("temporal")
    if not found:
        raise FileNotFoundError("Temporal's command-line tool is not installed: run `make setup`")
    return found


@asynccontextmanager
async def time_skipping_server(interceptors: Sequence[Interceptor] = ()) -> AsyncIterator[Client]:
    """Start a dev server on a free port and yield a client whose workflows skip time, each by its own clock."""
    async with await _start([SkipTime(), *interceptors]) as environment:
        yield environment.client


async def _start(interceptors: Sequence[Interceptor]) -> WorkflowEnvironment:
    """Start the server. The SDK gives it 5 s, which a busy machine may overrun: then it is started again.

    Raises:
        RuntimeError: it did not come up however often it was tried.
    """
    flags = [word for flag in SERVER_FLAGS for word in ("--dynamic-config-value", flag)]
    for tries_left in reversed(range(START_TRIES)):
        try:
            return await WorkflowEnvironment.start_local(
                data_converter=pydantic_data_converter,
                interceptors=interceptors,
                dev_server_existing_path=temporal_binary(),
                dev_server_extra_args=[*flags, "--output", "none"],
                dev_server_log_level="error",
            )
        except RuntimeError:
            if not tries_left:
                raise
    raise AssertionError  # the last try returns or raises
