"""A gateway process with a real Temporal and blob store and no worker: nothing of what is started runs."""

import os
from collections.abc import AsyncIterator

import psutil
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, settings

from scenarios.engine.programs import Options
from scenarios.engine.stack import Stack

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "60"))
"""So many for each fuzzer; `make fuzz` asks for 10,000."""

settings.register_profile(
    "gateway",
    max_examples=EXAMPLES,
    deadline=None,  # a client's time-out says when it hangs
    database=None,
    derandomize=EXAMPLES <= 100,  # the same few in each `make test`, others in each `make fuzz`
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("gateway")


class Target:
    """The gateway's address, and how much memory it has."""

    def __init__(self, stack: Stack) -> None:
        self.url = stack.urls["gateway"]
        self.port = stack.ports.gateway
        self._process = psutil.Process(stack["gateway"].pid)

    def memory_mb(self) -> float:
        return float(self._process.memory_info().rss / 1e6)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def target(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Target]:
    parts = frozenset({"temporal", "azurite", "gateway"})
    extra = {"gateway": {"BODY_TIMEOUT_S": "5", "LOG_LEVEL": "ERROR"}}
    options = Options(parts=parts, temporal_ui=False, extra=extra)
    async with Stack(home=tmp_path_factory.mktemp("fuzz"), options=options) as stack:
        yield Target(stack)
