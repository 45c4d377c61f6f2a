"""Each expectation notices what it is for, and says what was expected and what was seen."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image, ImageOps

from scenarios.stories.expectations import unmet
from scenarios.stories.run import Run
from tests.scenarios.stories.made_runs import call, completed, failed, result_picture

EVERYTHING: dict[str, Any] = {
    "status": "COMPLETED",
    "http_status": 202,
    "calls": {"sam3.submit": 2, "sam3": 3, "birefnet": 0},
    "attempts": {"generate_mask": (0, 2), "remove_background": ()},
    "call_times": {"sam3.submit": (0, 2.04)},
    "sent": {"sam3.submit": {"points": 2}},
    "length_s": 4.05,
    "background_removed": False,
    "gemini": True,
    "size": (120, 160),
}


def test_a_run_as_expected_has_nothing_unmet() -> None:
    assert list(unmet(completed(**EVERYTHING))) == []


def drop_a_call(run: Run) -> None:
    run.calls.pop(1)


def be_late(run: Run) -> None:
    run.timeline.attempts[2].began = 2.2


def take_longer(run: Run) -> None:
    run.timeline.now += 0.3


def remove_the_background(run: Run) -> None:
    run.output = {"background_removed": True}


def lose_gemini(run: Run) -> None:
    run.answer["result"]["geminiResultBase64"] = None


def turn_the_result(run: Run) -> None:
    run.answer["result"]["fluxResultBase64"] = result_picture(made=lambda photo: photo.rotate(180))


def mirror_the_result(run: Run) -> None:
    run.answer["result"]["fluxResultBase64"] = result_picture(made=ImageOps.mirror)


def darken_the_result(run: Run) -> None:
    run.answer["result"]["fluxResultBase64"] = result_picture(made=lambda photo: photo.point(lambda value: value * 0.9))


def blacken_a_corner_of_the_result(run: Run) -> None:
    def blackened(photo: Image.Image) -> Image.Image:
        photo.paste((0, 0, 0), (0, 0, 20, 30))
        return photo

    run.answer["result"]["fluxResultBase64"] = result_picture(made=blackened)


def send_fewer_points(run: Run) -> None:
    run.calls[1] = dataclasses.replace(
        run.calls[1], sent={"points": {"items": 1, "hash": "x"}, "image_uri": "azure://c/w.jpg"}
    )


def send_nothing(run: Run) -> None:
    run.calls[1] = dataclasses.replace(run.calls[1], sent=None)


def call_birefnet(run: Run) -> None:
    run.calls.append(call("birefnet", "submit"))


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (
            send_fewer_points,
            "sent to sam3.submit: expected {'points': 2}, seen {'points': 1}",
        ),
        (send_nothing, "sent to sam3.submit: expected {'points': 2}, seen nothing"),
        (drop_a_call, "calls of sam3.submit: expected 2, seen 1"),
        (be_late, "attempts of generate_mask began at: expected 0.0 s, 2.0 s, seen 0.0 s, 2.2 s"),
        (take_longer, "length: expected 4.0 virtual s, seen 4.3"),
        (remove_the_background, "background removed: expected False, seen True"),
        (lose_gemini, "gemini's result: expected a picture, seen the other"),
        (turn_the_result, "fluxResultBase64: it is not upright: by ROTATE_180 it would be"),
        (mirror_the_result, "fluxResultBase64: it is not upright: by FLIP_LEFT_RIGHT it would be"),
        (darken_the_result, "fluxResultBase64: its colours are not those of the photo"),
        (blacken_a_corner_of_the_result, "fluxResultBase64: its colours are not those of the photo"),
        (call_birefnet, "calls of birefnet: expected 0, seen 1"),
    ],
)
def test_what_differs_is_said(break_it: Callable[[Run], None], said: str) -> None:
    run = completed(**EVERYTHING)
    break_it(run)
    assert said in list(unmet(run))


def test_a_result_of_another_size_is_said() -> None:
    run = completed(size=(160, 120))
    assert "fluxResultBase64: expected a JPEG of (160, 120), seen JPEG of (120, 160)" in list(unmet(run))


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (("SAM3_TIMEOUT", "GENERATING_MASK"), []),
        (("SAM3_REJECTED", "GENERATING_MASK"), ["code: expected SAM3_REJECTED, seen SAM3_TIMEOUT"]),
        (("SAM3_TIMEOUT", "RESIZING_IMAGE"), ["failed_step: expected RESIZING_IMAGE, seen GENERATING_MASK"]),
    ],
)
def test_failures_are_compared_by_code_and_step(wanted: tuple[str, str], said: list[str]) -> None:
    run = failed()
    run.scenario = failed(*wanted).scenario
    assert list(unmet(run)) == said


def test_another_status_is_said_with_the_failures_message() -> None:
    run = failed()
    run.scenario = completed().scenario
    assert list(unmet(run)) == ["status: expected COMPLETED, seen FAILED (SAM3 did not answer in time)"]


def test_times_are_not_looked_at_in_real_time() -> None:
    run = completed(**EVERYTHING)
    be_late(run)
    run.virtual = False
    assert list(unmet(run)) == []
