"""Is the request of a start one that is taken? docs/api.md, "Start a try-on"."""

import base64
import binascii
import json
import re
from collections.abc import Sequence
from typing import Any

from scenarios.model.numbers import (
    BRUSH,
    MOST_BODY,
    MOST_POINTS,
    MOST_SESSION_ID,
    MOST_STROKE_POINTS,
    MOST_STROKES,
    MOST_STRUCTURE,
)
from scenarios.plans import Plan
from scenarios.plans.plan import Point, Stroke

BODY_TOO_LARGE = "BODY_TOO_LARGE"
INVALID_IMAGE = "INVALID_IMAGE"
INVALID_REQUEST = "INVALID_REQUEST"
AT_ONCE = {"text", "empty", "one-pixel", "gif", "half-progressive"}
"""Photos that are refused at once."""
USUAL_POINTS = 2
"""Of a plan that has none of its own: one on the person, and one beside."""
BY_THE_FIRST_STEP = {"half"}
"""Photos whose head is good and whose end is missing."""


def refusal(plan: Plan) -> tuple[int, str] | None:
    """Return the HTTP status and the code with which the start is refused, None when it is taken."""
    code = _refusal(plan)
    return (413 if code == BODY_TOO_LARGE else 422, code) if code else None


def _refusal(plan: Plan) -> str | None:
    if plan.size > MOST_BODY:  # what else is in a plan is far smaller
        return BODY_TOO_LARGE
    if _body_is_wrong(plan):
        return INVALID_REQUEST
    return INVALID_IMAGE if plan.photo in AT_ONCE and "originalImageBase64" not in plan.body else None


def _body_is_wrong(plan: Plan) -> bool:
    body = plan.body
    session = body.get("sessionId")
    return (
        _structure(plan) > MOST_STRUCTURE
        or not (_points_are_right(body["maskPoints"]) if "maskPoints" in body else _points_are_enough(plan.points))
        or not (_strokes_are_right(body["brushStrokes"]) if "brushStrokes" in body else _strokes_are_few(plan.strokes))
        or ("originalImageBase64" in body and not _is_base64(body["originalImageBase64"]))
        or not (session is None or (isinstance(session, str) and len(session) <= MOST_SESSION_ID))
    )


def _structure(plan: Plan) -> int:
    """Return how many commas and brackets its body has: base64 has none."""
    spot = {"x": 0.5, "y": 0.5}
    body: dict[str, Any] = {
        "originalImageBase64": "",
        "maskPoints": [spot | {"label": 1}] * (USUAL_POINTS if plan.points is None else len(plan.points)),
    }
    if plan.strokes:
        body["brushStrokes"] = [{"points": [spot] * len(each.points), "mode": "", "size": 1} for each in plan.strokes]
    return sum(json.dumps(body | plan.body).count(mark) for mark in "[{,")


def _points_are_enough(points: Sequence[Point] | None) -> bool:
    """Say so of a plan's own points, each of which is right."""
    return not points or (len(points) <= MOST_POINTS and any(point.label == 1 for point in points))


def _strokes_are_few(strokes: Sequence[Stroke]) -> bool:
    """Say so of a plan's own strokes, each of which is right."""
    return len(strokes) <= MOST_STROKES and sum(len(stroke.points) for stroke in strokes) <= MOST_STROKE_POINTS


def _points_are_right(points: Any) -> bool:
    return (
        isinstance(points, list)
        and 1 <= len(points) <= MOST_POINTS
        and all(_spot_is_right(point) and _is_label(point.get("label")) for point in points)
        and any(point["label"] == 1 for point in points)
    )


def _strokes_are_right(strokes: Any) -> bool:
    if strokes is None:
        return True
    return (
        isinstance(strokes, list)
        and len(strokes) <= MOST_STROKES
        and all(_stroke_is_right(stroke) for stroke in strokes)
        and sum(len(stroke["points"]) for stroke in strokes) <= MOST_STROKE_POINTS
    )


def _stroke_is_right(stroke: Any) -> bool:
    return (
        isinstance(stroke, dict)
        and isinstance(stroke.get("points"), list)
        and len(stroke["points"]) >= 1
        and all(_spot_is_right(point) for point in stroke["points"])
        and stroke.get("mode") in {"add", "remove"}
        and _is_number(stroke.get("size"))
        and BRUSH[0] <= stroke["size"] <= BRUSH[1]
    )


def _spot_is_right(point: Any) -> bool:
    return isinstance(point, dict) and all(_is_number(point.get(axis)) and 0 <= point[axis] <= 1 for axis in ("x", "y"))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_label(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value in {0, 1}


def _is_base64(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    text = re.sub(r"\s", "", value.partition("base64,")[2] if value[:5].lower() == "data:" else value)
    try:
        base64.b64decode(
            text + "=" * (-len(text) % 4), altchars=None if "+" in text or "/" in text else b"-_", validate=True
        )
    except (binascii.Error, ValueError):
        return False
    return True
