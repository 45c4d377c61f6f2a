"""Requests that are wrong: refused at the door, with nothing started; or found out by the first step."""

from collections.abc import Mapping
from typing import Any

from scenarios.scenario import Expect, Scenario, failed, refused

THEME = "refusals"

POINT = {"x": 0.5, "y": 0.5, "label": 1}
STROKE: dict[str, Any] = {"points": [{"x": 0.5, "y": 0.5}], "mode": "add", "size": 10}

SURPRISES = 20_000 - 11
"""Of a list in a body with two points, which has eleven other commas and brackets."""


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
        brushStrokes=[STROKE | {"size": 500.5}],
    ),
    _body(
        "stroke-too-thin",
        "A brush has a pixel at least.",
        "brushStrokes[0].size",
        brushStrokes=[STROKE | {"size": 0.9}],
    ),
    _body("one-point-too-many", "At most 64 points are taken.", "maskPoints", maskPoints=[POINT] * 65),
    _body("one-stroke-too-many", "At most 64 strokes are taken.", "brushStrokes", brushStrokes=[STROKE] * 65),
    _body(
        "one-stroke-point-too-many",
        "A stroke has 2000 points at most.",
        "brushStrokes[0].points",
        brushStrokes=[STROKE | {"points": STROKE["points"] * 2001}],
    ),
    _body(
        "one-point-of-all-strokes-too-many",
        "All strokes together have 2000 points at most.",
        "brushStrokes",
        brushStrokes=[STROKE | {"points": STROKE["points"] * 1000}, STROKE | {"points": STROKE["points"] * 1001}],
    ),
    _body(
        "numbers-as-texts",
        "A number in quotes is another type.",
        "maskPoints[0].y",
        maskPoints=[POINT | {"y": "0.5"}],
    ),
    _body("a-flag-for-a-label", "True is no label.", "maskPoints[0].label", maskPoints=[POINT | {"label": True}]),
    _body(
        "two-fields-are-wrong",
        "Of two fields that are wrong both are named.",
        "maskPoints[0].x: ",
        maskPoints=[POINT | {"x": 2}],
        sessionId=7,
    ),
    _body("session-too-long", "A session's id has 128 characters at most.", "sessionId", sessionId="s" * 129),
    _body(
        "several-fields-are-wrong",
        "Of several fields that are wrong each is named, up to twenty.",
        "maskPoints[0].x",
        maskPoints=[POINT | {"x": -0.01, "label": 3}] * 12,
        sessionId=7,
    ),
    _body("too-much-structure", "No try-on needs 20,001 commas and brackets.", "body", surprise=[0] * (SURPRISES + 1)),
    Scenario(
        name="as-much-structure-as-is-taken",
        story="A body of 20,000 commas and brackets is taken, most of them in a field that nobody reads.",
        theme=THEME,
        body={"surprise": [0] * SURPRISES},
        expect=Expect(calls={"sam3.submit": 1}),
    ),
    Scenario(
        name="as-much-as-is-taken",
        story="As many points, strokes, points of strokes and characters as are taken, and brushes of 1 and 500.",
        theme=THEME,
        points=((0.5, 0.62, 1),) * 64,
        strokes=tuple(
            {"points": [{"x": 0.5, "y": 0.62}] * (32 if n else 48), "mode": "add", "size": 1 if n else 500}
            for n in range(62)
        ),
        body={"sessionId": "s" * 128},
        expect=Expect(
            sent={"sam3.submit": {"points": 64, "labels": 64}, "a100.refine_mask": {"strokes": 62}},
        ),
    ),
)
