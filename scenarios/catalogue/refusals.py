"""Requests that are wrong: refused at the door, with nothing started; or found out by the first step."""

from collections.abc import Mapping
from typing import Any

from scenarios.scenario import Scenario, failed, refused

THEME = "refusals"

POINT = {"x": 0.5, "y": 0.5, "label": 1}
STROKE = {"points": [{"x": 0.5, "y": 0.5}], "mode": "add", "size": 10}


def _body(name: str, story: str, field: str, **changes: Any) -> Scenario:
    body: Mapping[str, Any] = changes
    return Scenario(
        name=name, story=story, theme=THEME, body=body, expect=refused(422, "INVALID_REQUEST", message=field)
    )


SCENARIOS = (
    Scenario(
        name="half-a-photo",
        story="Half a JPEG has a good head; the first step decodes it to its end, and does not try twice.",
        theme=THEME,
        photo="half",
        expect=failed(
            "INVALID_IMAGE",
            "UPLOADING_IMAGE",
            attempts={"upload_to_azure": (0,)},
            calls={"image_manipulator": 0},
        ),
    ),
    Scenario(
        name="half-a-progressive-photo",
        story="Half a progressive JPEG lacks whole passes over the picture, and is refused at once.",
        theme=THEME,
        photo="half-progressive",
        expect=refused(422, "INVALID_IMAGE"),
    ),
    Scenario(
        name="not-a-photo",
        story="A text file is refused at once.",
        theme=THEME,
        photo="text",
        expect=refused(422, "INVALID_IMAGE"),
    ),
    Scenario(
        name="one-pixel",
        story="A picture of one pixel is refused at once.",
        theme=THEME,
        photo="one-pixel",
        expect=refused(422, "INVALID_IMAGE"),
    ),
    _body(
        "broken-base64", "Base64 with a stray character is refused.", "originalImageBase64", originalImageBase64="a*b"
    ),
    _body(
        "point-outside", "A point outside the picture is refused.", "maskPoints[0].x", maskPoints=[POINT | {"x": 1.5}]
    ),
    _body(
        "point-label-unknown", "A label of 2 means nothing.", "maskPoints[0].label", maskPoints=[POINT | {"label": 2}]
    ),
    _body(
        "no-foreground",
        "Without a foreground point there is nothing to put on.",
        "maskPoints",
        maskPoints=[POINT | {"label": 0}],
    ),
    _body("no-points", "Points are needed.", "maskPoints", maskPoints=[]),
    _body(
        "stroke-empty",
        "A stroke has at least one point.",
        "brushStrokes[0].points",
        brushStrokes=[STROKE | {"points": []}],
    ),
    _body(
        "stroke-mode-unknown",
        "A stroke adds or removes.",
        "brushStrokes[0].mode",
        brushStrokes=[STROKE | {"mode": "blur"}],
    ),
    _body(
        "stroke-too-thick",
        "A brush has 1 to 500 pixels.",
        "brushStrokes[0].size",
        brushStrokes=[STROKE | {"size": 501}],
    ),
)
