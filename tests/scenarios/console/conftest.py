"""The stack with its console, and Debian's Chromium to use it with."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from anyio.from_thread import start_blocking_portal
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from scenarios.console.browser import FLAGS, chromium
from scenarios.processes.ports import reserve_port
from scenarios.stack.programs import ALL_PARTS, BESIDE, Options
from scenarios.stack.stack import Stack

PATIENCE_MS = 60_000
"""A busy machine is slow; nothing here waits longer than it must."""


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    home: Path = tmp_path_factory.mktemp("console")
    extra = {"worker": {"WORKER_METRICS_PORT": str(reserve_port())}}
    options = Options(parts=ALL_PARTS | BESIDE, profile="instant", time_scale=0.1, extra=extra)
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(Stack(home=home, options=options)) as running,
    ):
        yield running


# One for each module: while it is open, its event loop runs in this thread, and no other test's loop can.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    executable = chromium()
    if executable is None:
        pytest.skip("no Chromium here: `apt-get install chromium`, or CHROMIUM=/path/to/it")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
        yield opened
        opened.close()


def _is_problem(message: ConsoleMessage) -> bool:
    """Say whether it is more than Chromium's own note that a request was refused, which the page tells by itself."""
    return message.type == "error" and "Failed to load resource" not in message.text


@pytest.fixture
def open_page(browser: Browser, stack: Stack) -> Iterator[Callable[..., Page]]:
    """Open the console at a width; every error that the page reports fails the test."""
    problems: list[str] = []
    contexts = []
    expect.set_options(timeout=PATIENCE_MS)

    def opened(width: int = 1440, path: str = "/") -> Page:
        context = browser.new_context(viewport={"width": width, "height": 900}, reduced_motion="reduce")
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text) if _is_problem(message) else None)
        page.goto(f"http://localhost:{stack.ports.console}{path}")
        expect(page.locator("html[data-ready]")).to_be_attached()
        return page

    yield opened
    for context in contexts:
        context.close()
    assert problems == []
