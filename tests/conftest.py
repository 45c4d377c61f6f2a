"""How the tests are dealt out to processes, what a mark as long has to say, and the blob store that many share."""

import logging
import os
from collections.abc import Iterator
from functools import cache
from typing import Any

import httpx
import pytest
import structlog
from anyio.from_thread import start_blocking_portal
from xdist.scheduler import LoadScopeScheduling

from scenarios.processes.collector import collected_seldom
from scenarios.stack.programs import Options
from scenarios.stack.stack import Stack

THE_WORLD = "tests/scenarios"
IN_THE_WORLD = {f"tests/scenarios/{folder}" for folder in ("explore", "plans", "stories", "world")}
"""The folders whose tests run scenarios, as those of tests/scenarios itself do."""
ON_THE_BACKING_STACK = {f"tests/app/{folder}" for folder in ("doctor", "pictures", "pipeline", "process")}
"""The folders whose tests need Temporal, Azurite and the fakes (tests/app/conftest.py)."""
THE_BACKING_STACK = "tests/app with a stack"
LONGEST_FIRST = [
    THE_WORLD,
    "tests/app/gateway",
    THE_BACKING_STACK,
    "tests/fakes/kit",
    "tests/scenarios/stack",
    "tests/virtual",
    "tests/scenarios/reproduce",
    "tests/loadtests/knee",
    "tests/loadtests/drive",
    "tests/loadtests",
    "tests/fakes/gateway",
    "tests/scenarios/contract",
    "tests/scenarios/console",
    "tests/frontend",
]
"""What shares a process begins in this order, and then the rest: whatever begins last runs alone at the end."""


def together(test: str) -> str:
    """Say with which tests a test shares a process, and so the stack or the world that they need: with its folder's."""
    folder = test.partition("::")[0].rpartition("/")[0]
    if folder in ON_THE_BACKING_STACK:
        return THE_BACKING_STACK
    return THE_WORLD if folder in IN_THE_WORLD else folder


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling:
    """Deal the tests out so that each stack is started once."""
    scheduling = LoadScopeScheduling(config, log)
    scheduling._split_scope = together
    return scheduling


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what takes longest first, and leave the others as they are.

    Who marks a test as long says why.
    """
    for item in items:
        for mark in item.iter_markers("long"):
            if mark.kwargs or [type(word) for word in mark.args] != [str]:
                raise pytest.UsageError(f'{item.nodeid}: say why it takes long: @pytest.mark.long("...")')

    ranks = {name: rank for rank, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: ranks.get(together(item.nodeid), len(ranks)))


@pytest.fixture(autouse=True)
def logs_are_configured_for_one_test_alone() -> Iterator[None]:
    """Take back what a test configured, by a command say: the next one in this process may look at what is said."""
    before, disabled = structlog.get_config(), logging.root.manager.disable
    yield
    structlog.configure(**before)
    logging.disable(disabled)


@pytest.fixture(scope="session", autouse=True)
def the_collector_comes_seldom() -> Iterator[None]:
    """Spare a tenth of the CPU of this process: thousands of tests are many objects to look through."""
    with collected_seldom():
        yield


@pytest.fixture(scope="session", autouse=True)
def certificates_are_read_once() -> Iterator[None]:
    """Share the system's certificates between hundreds of clients: httpx reads them for each, 20 ms of CPU."""

    @cache
    def read(_named: tuple[str | None, str | None], **options: Any) -> Any:
        return httpx.create_ssl_context(**options)

    def shared(**options: Any) -> Any:
        return read((os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")), **options)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("httpx._transports.default.create_ssl_context", shared)
        yield


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """An Azurite with the container of the specification: the settings by which it is reached."""
    options = Options(parts=frozenset({"azurite"}), in_memory=True)
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(Stack(home=tmp_path_factory.mktemp("azurite"), options=options)) as stack,
    ):
        yield {name.lower(): value for name, value in stack.environment.items() if name.startswith("AZURE_")}
