"""`make pictures`: the pictures of the console in docs/, made by using it in Chromium on a stack of its own."""

import asyncio
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright, expect

from scenarios.console.browser import FLAGS, chromium
from scenarios.processes.child import StackError
from scenarios.processes.signals import until_signalled
from scenarios.stack.programs import ALL_PARTS, BESIDE, Options
from scenarios.stack.stack import Stack

DOCS = Path(__file__).resolve().parents[2] / "docs"
PATIENCE_MS = 120_000
QUALITY = 82
TIME_SCALE = 0.08


def main(_arguments: Sequence[str]) -> int:
    """Make the pictures. Exit codes: 0 made, 1 the stack did not come up, 2 no Chromium is there."""
    executable = chromium()
    if executable is None:
        print("make pictures: Chromium is needed: apt-get install chromium, or CHROMIUM=/path/to/it", file=sys.stderr)  # noqa: T201 - the command's own terminal
        return 2
    try:
        return asyncio.run(until_signalled(_make(executable)))
    except StackError as error:
        print(f"make pictures: {error}", file=sys.stderr)  # noqa: T201 - as above
        return 1


async def _make(executable: str) -> int:
    expect.set_options(timeout=PATIENCE_MS)
    options = Options(parts=ALL_PARTS | BESIDE, time_scale=TIME_SCALE)
    with tempfile.TemporaryDirectory() as home:
        async with Stack(home=Path(home), options=options) as stack, async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
            address = f"http://localhost:{stack.ports.console}"
            await _completed(await _open(browser, address, width=1280, dark=False))
            await _failed(await _open(browser, address, width=1280, dark=True))
            await _phone(await _open(browser, address, width=390, dark=False))
            await browser.close()
    for path in [*sorted(DOCS.glob("console*.jpg")), DOCS / "timeline.png"]:
        print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")  # noqa: T201 - as above
    return 0


async def _open(browser: Browser, address: str, *, width: int, dark: bool) -> Page:
    context = await browser.new_context(
        viewport={"width": width, "height": 1500}, color_scheme="dark" if dark else "light", reduced_motion="reduce"
    )
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    await page.goto(address)
    await expect(page.locator("html[data-ready]")).to_be_attached()
    return page


async def _completed(page: Page) -> None:
    await page.click("#start")
    await expect(page.locator("#stands")).to_have_text("Completed.")
    await expect(page.locator("#results img")).to_have_count(4)
    await page.locator("#try").screenshot(path=DOCS / "console.jpg", type="jpeg", quality=QUALITY)


async def _failed(page: Page) -> None:
    await page.select_option("#scope", "next")
    for name in ("resize-busy", "mask-lost", "generate-error"):
        await page.locator(f"#switch-{name}").check()
        await expect(page.locator(f"#switch-{name}")).to_be_checked()
    await page.click("#start")
    await expect(page.locator("#failure")).to_contain_text("A100_ERROR")
    await expect(page.locator("#drawing")).to_contain_text("FAILED")
    await page.locator("#try").screenshot(path=DOCS / "console-failure.jpg", type="jpeg", quality=QUALITY)
    await page.locator("#drawing").screenshot(path=DOCS / "timeline.png")
    await page.locator("#fakes").screenshot(path=DOCS / "console-services.jpg", type="jpeg", quality=QUALITY)


async def _phone(page: Page) -> None:
    await page.click("#start")
    await expect(page.locator("#stands")).to_have_text("Completed.")
    await expect(page.locator("#results img")).to_have_count(4)
    await page.locator("#try").screenshot(path=DOCS / "console-phone.jpg", type="jpeg", quality=QUALITY)
