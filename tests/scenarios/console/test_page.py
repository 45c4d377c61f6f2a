"""The console by clicks, drags and keys, as a person uses it, on the real stack."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import FilePayload, Page, Route, expect

from scenarios.console import samples
from scenarios.stack.stack import Stack
from tests.scenarios.console.conftest import PATIENCE_MS

ROOT = Path(__file__).resolve().parents[3]
AXE = ROOT / ".tools/node/node_modules/axe-core/axe.min.js"
SCHEMES = ("light", "dark")
OPEN = Callable[..., Page]
AGAIN = pytest.mark.long("one more journey in a browser")


def violations(page: Page) -> list[str]:
    """What axe-core finds, in light and dark: rule, what it is about, and where."""
    found: list[str] = []
    page.evaluate(AXE.read_text())
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type] # a literal of a loop
        result: dict[str, Any] = page.evaluate("axe.run({resultTypes: ['violations']})")
        found += [
            f"{scheme}: {one['id']}: {one['help']}: {[node['target'] for node in one['nodes']][:3]}"
            for one in result["violations"]
        ]
    return found


def take_sample(page: Page) -> None:
    """Take the near sample, whose background stays, and wait until it is there."""
    page.click("[data-sample=near]")
    expect(page.locator("[data-sample=near]")).to_have_attribute("aria-pressed", "true")


def click_on_photo(page: Page, x: float, y: float) -> None:
    stage = page.locator("#stage svg")
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    assert box
    page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])


def drag_on_photo(page: Page, *places: tuple[float, float]) -> None:
    stage = page.locator("#stage svg")
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    assert box
    at = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in places]
    page.mouse.move(*at[0])
    page.mouse.down()
    for place in at[1:]:
        page.mouse.move(*place, steps=6)
    page.mouse.up()


def step(page: Page, name: str) -> Any:
    return page.locator(f"#steps li[data-step={name}]")


def arm(page: Page, *switches: str) -> None:
    """Have the next try-on alone meet these faults."""
    page.select_option("#scope", "next")
    for switch in switches:
        page.locator(f"#switch-{switch}").check()
        expect(page.locator(f"#switch-{switch}")).to_be_checked()


@pytest.mark.parametrize("width", [pytest.param(390, marks=AGAIN), 1440])
def test_a_try_on_by_clicks_from_the_photo_to_the_pictures(open_page: OPEN, width: int) -> None:
    page = open_page(width)
    take_sample(page)
    expect(page.locator("#marks")).to_have_text("5 points, 0 strokes")
    page.click("#clear")
    expect(page.locator("#start")).to_be_disabled()

    neck = samples.points("near")[2]
    click_on_photo(page, float(neck["x"]), float(neck["y"]))
    page.check("[name=tool][value=not-here]")
    click_on_photo(page, 0.05, 0.05)
    page.check("[name=tool][value=add]")
    drag_on_photo(page, (float(neck["x"]) - 0.08, float(neck["y"])), (float(neck["x"]) + 0.08, float(neck["y"])))
    expect(page.locator("#marks")).to_have_text("2 points, 1 stroke")

    page.click("#start")
    expect(page.locator("#cancel")).to_be_enabled()
    expect(page.locator("#stands")).to_have_text("Completed.")
    expect(page.locator("#meter")).to_have_attribute("aria-valuenow", "100")
    expect(step(page, "REFINING_MASK")).to_have_class("done")
    expect(step(page, "REMOVING_BACKGROUND")).to_have_class("skipped")
    expect(step(page, "GENERATING_IMAGES").locator(".took")).to_have_text(re.compile(r"\d s"))
    pictures = page.locator("#results img")
    expect(pictures).to_have_count(4)
    assert all(width > 0 for width in pictures.evaluate_all("images => images.map(image => image.naturalWidth)"))
    expect(page.locator("#results output")).to_have_count(8)

    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert violations(page) == []


def test_faults_by_name_are_given_to_each_service_and_taken_back(open_page: OPEN, stack: Stack) -> None:
    page = open_page()
    page.select_option("#preset", "modal-unpaid")
    expect(page.locator("#service-birefnet")).to_contain_text("preset.modal-unpaid.birefnet")
    expect(page.locator("#service-sam3")).to_contain_text("preset.modal-unpaid.sam3")
    refused = httpx.put(f"{stack.urls['console']}/harness/fakes/presets/azure-locked-down")
    assert (refused.status_code, "make up FAULTS=azure-locked-down" in refused.text) == (404, True)
    page.click("#all-off")
    expect(page.locator("#service-sam3")).not_to_contain_text("preset.modal-unpaid")


@AGAIN
def test_a_failure_is_told_by_its_code_its_meaning_and_what_to_do(open_page: OPEN) -> None:
    page = open_page()
    take_sample(page)
    arm(page, "resize-busy", "a100-offline")
    expect(page.locator("#armed")).to_contain_text("Resize is busy twice; The A100 is offline")
    page.click("#start")
    failure = page.locator("#failure")
    expect(failure).to_contain_text("A100_UNAVAILABLE")
    expect(failure).to_contain_text("Every known A100 server is unreachable")
    expect(failure).to_contain_text("Start an A100 server, or put its address into A100_URLS.")
    expect(page.locator("#stands")).to_have_text("Failed while generating images.")
    expect(step(page, "GENERATING_IMAGES")).to_have_class("failed")
    expect(step(page, "RESIZING_IMAGE")).to_contain_text("3 attempts")
    expect(page.locator("#armed")).to_be_hidden()

    assert page.locator("#drawing rect.failure").count() == 3
    assert page.locator("#drawing circle.fault").count() == 3
    page.get_by_text("As a table").click()
    expect(page.locator("#drawing tbody tr").nth(1)).to_contain_text("image_manipulator.resize: status")
    expect(page.locator("#temporal-link")).to_have_attribute("href", re.compile(r"/namespaces/default/workflows/"))

    page.select_option("#scope", "current")
    expect(page.locator("label:has(#switch-resize-busy) .hits")).to_contain_text("fired 2")
    expect(page.locator("#fired tbody tr").first).to_contain_text("a100.health")
    assert violations(page) == []
    page.click("#all-off")
    expect(page.locator("#switch-resize-busy")).not_to_be_checked()


@AGAIN
def test_a_try_on_is_cancelled(open_page: OPEN) -> None:
    page = open_page()
    take_sample(page)
    arm(page, "mask-stuck")
    page.click("#start")
    expect(step(page, "GENERATING_MASK")).to_have_class("now")
    expect(step(page, "GENERATING_MASK")).to_contain_text("1 poll")
    page.click("#cancel")
    expect(page.locator("#stands")).to_have_text("Cancelled.")
    expect(step(page, "GENERATING_MASK")).to_have_class("stopped")
    expect(page.locator("#start")).to_be_enabled()


@AGAIN
def test_another_try_on_takes_the_place_of_the_one_that_runs(open_page: OPEN) -> None:
    """What the first one still says is not taken for the second one's."""
    page = open_page()
    take_sample(page)
    arm(page, "mask-stuck")
    page.click("#start")
    expect(step(page, "GENERATING_MASK")).to_have_class("now")
    first = page.locator("#about code").inner_text()
    gateway = page.evaluate("fetch('/harness/config').then(answer => answer.json()).then(config => config.gateway)")

    page.fill("#filter", "sam3-job-failed-once")
    page.locator("li[data-name=sam3-job-failed-once]").get_by_text("Real time").click()
    expect(page.locator("#about code")).not_to_have_text(first)
    expect(page.locator("#stands")).to_have_text("Completed.")
    expect(page.locator("#results img")).to_have_count(4)
    assert page.evaluate(
        "new Promise(done => { const before = document.getElementById('elapsed').textContent;"
        " setTimeout(() => done(before === document.getElementById('elapsed').textContent), 600); })"
    ), "no clock of the first one goes on"

    ended = "([gateway, id]) => fetch(`${gateway}/workflow/${id}?wait=30`).then(answer => answer.json())"
    page.evaluate("([gateway, id]) => fetch(`${gateway}/workflow/${id}/cancel`, {method: 'POST'})", [gateway, first])
    assert page.evaluate(ended, [gateway, first])["status"] == "CANCELLED"
    page.evaluate("new Promise(done => setTimeout(done, 600))")  # the first one's events have come by then, if any do
    expect(page.locator("#stands")).to_have_text("Completed.")
    expect(page.locator("#meter")).to_have_attribute("class", "meter")


@AGAIN
def test_faults_for_the_one_shown_are_for_nobody_while_none_is(open_page: OPEN) -> None:
    page = open_page()
    take_sample(page)
    page.click("#start")
    expect(page.locator("#stands")).to_have_text("Completed.")
    page.select_option("#scope", "current")
    expect(page.locator("#switch-resize-busy")).to_be_enabled()
    # The gateway takes its time: meanwhile no try-on is shown.
    held: list[Route] = []
    page.route("**/workflow/start", lambda route: held.append(route))  # noqa: PLW0108 - Playwright marks its handler
    page.click("#start")
    expect(page.locator("#stands")).to_have_text("Sending the photo …")
    expect(page.locator("#elapsed")).to_have_text("")
    expect(page.locator("#switch-resize-busy")).to_be_disabled()
    assert [route.request.method for route in held] == ["POST"]


@AGAIN
def test_a_scenario_is_run_in_real_time_and_watched(open_page: OPEN) -> None:
    page = open_page()
    page.fill("#filter", "birefnet-job-failed-once")
    expect(page.locator("#shown")).to_have_text("1 scenario")
    page.fill("#filter", "sam3-job-failed-once")
    item = page.locator("li[data-name=sam3-job-failed-once]")
    item.get_by_text("Real time").click()
    expect(step(page, "GENERATING_MASK")).to_contain_text("2 attempts")
    expect(page.locator("#stands")).to_have_text("Completed.")
    expect(item.locator("b")).to_have_text("✓ passed")


@AGAIN
def test_a_try_on_that_failed_becomes_a_scenario_with_its_files(open_page: OPEN) -> None:
    page = open_page()
    expect(page.locator("#make-scenario")).to_be_disabled()
    take_sample(page)
    arm(page, "resize-busy", "a100-offline")
    page.click("#start")
    expect(page.locator("#failure")).to_contain_text("A100_UNAVAILABLE")
    page.click("#make-scenario")
    expect(page.locator("#make-scenario")).to_be_disabled()
    shown = page.locator("#reproduction")
    expect(shown).to_contain_text("resize_image: 3 attempts, after IMAGE_MANIPULATOR_UNAVAILABLE")
    expect(shown.locator("b")).to_have_text("✓ The scenario goes the same way", timeout=3 * PATIENCE_MS)
    expect(page.locator("#make-scenario")).to_be_enabled()
    files = {}
    for link in shown.locator("a").all():
        with page.expect_download() as downloaded:
            link.click()
        files[downloaded.value.suggested_filename] = downloaded.value.path().read_text()
    plan = json.loads(files["plan.json"])
    assert {rule["operation"] for rule in plan["rules"]} >= {"resize", "health"}
    [test] = [text for name, text in files.items() if name.startswith("test_")]
    assert 'Expect(status="COMPLETED")' in test.replace("'", '"')
    assert violations(page) == []
    page.set_viewport_size({"width": 390, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.evaluate("document.getElementById('timeline').scrollWidth") <= 390
    page.fill("#workflow-id", "no-such-workflow")
    page.get_by_role("button", name="Show").click()
    expect(shown).to_be_empty()
    expect(page.locator("#make-scenario")).to_be_disabled()


@AGAIN
def test_an_unknown_workflow_is_said_to_be_unknown(open_page: OPEN) -> None:
    page = open_page()
    page.fill("#workflow-id", "no-such-workflow")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#drawing")).to_have_text("there is no workflow with the id 'no-such-workflow'")


@AGAIN
def test_points_and_strokes_without_a_mouse(open_page: OPEN) -> None:
    page = open_page()
    page.click("#clear")
    page.locator("#stage svg").focus()
    for key in ("ArrowDown", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    expect(page.locator("#marks")).to_have_text("1 point, 0 strokes")
    page.locator("[name=tool][value=add]").focus()
    page.keyboard.press("Space")
    page.locator("#stage svg").focus()
    for key in ("Enter", "ArrowRight", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    expect(page.locator("#marks")).to_have_text("1 point, 1 stroke")
    page.keyboard.press("Backspace")
    expect(page.locator("#marks")).to_have_text("1 point, 0 strokes")
    expect(page.locator("#said")).to_have_text("Took back the last stroke")


@AGAIN
def test_a_photo_of_one_s_own_and_a_file_that_is_none(open_page: OPEN) -> None:
    page = open_page()
    photo: FilePayload = {"name": "me.jpg", "mimeType": "image/jpeg", "buffer": samples.sample("near")}
    page.set_input_files("#file", files=[photo])
    expect(page.locator("#marks")).to_have_text("0 points, 0 strokes. Click where the jewellery goes")
    expect(page.locator("#start")).to_be_disabled()
    text: FilePayload = {"name": "me.txt", "mimeType": "text/plain", "buffer": b"this is not a picture"}
    page.set_input_files("#file", files=[text])
    expect(page.locator("#marks")).to_have_text("This file is not a picture that the browser can show.")


@AGAIN
def test_it_is_light_or_dark_as_the_button_says_and_remembers_it(open_page: OPEN) -> None:
    page = open_page()
    background = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(background)
    page.click("#theme")
    assert page.evaluate(background) != light
    page.reload()
    assert page.evaluate(background) != light
