"""Bodies that are small to send and dear to read: they are refused before they have cost anything."""

import base64
import json
import time
import tracemalloc

import pytest

from app.errors.request import RequestError
from app.gateway.api.start_request import MAX_POINTS, MAX_STROKE_POINTS, MAX_STROKES, parse_start
from tests.app.gateway.conftest import body, jpeg

TOO_MUCH = "more fields and list items than any try-on needs"


def refused(content: bytes) -> RequestError:
    with pytest.raises(RequestError) as error:
        parse_start(content)
    return error.value


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(body(brushStrokes=[{"points": [{}] * MAX_STROKE_POINTS}] * MAX_STROKES)).encode(),
        b'{"x":[' + b",".join([b"[]"] * 2_500_000) + b"]}",
        b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"x":{' + b",".join(b'"%d":1' % number for number in range(100_000)) + b"}}",
    ],
    ids=["empty points", "lists", "deep", "wide"],
)
def test_structure_without_end_is_refused_unparsed(content: bytes) -> None:
    began = time.process_time()
    error = refused(content)
    assert time.process_time() - began < 0.1
    assert TOO_MUCH in error.message
    assert [detail.field for detail in error.details] == ["body"]


def test_the_largest_body_that_is_legal_is_far_from_that_limit() -> None:
    each = MAX_STROKE_POINTS // MAX_STROKES
    point = {"x": 0.123456, "y": 0.5, "pressure": 0.5, "tilt": 0.5, "time": 1}  # unknown fields are ignored
    stroke = {"points": [point] * each, "mode": "add", "size": 20}
    mask = [{"x": 0.5, "y": 0.5, "label": 1}] * MAX_POINTS
    asked = parse_start(json.dumps(body(maskPoints=mask, brushStrokes=[stroke] * MAX_STROKES)).encode())
    assert sum(len(stroke.points) for stroke in asked.brush_strokes or ()) == each * MAX_STROKES


def test_wrong_points_of_a_stroke_are_named_once_for_each_stroke() -> None:
    stroke = {"points": [{}] * 100, "mode": "add", "size": 20}
    fields = [detail.field for detail in refused(json.dumps(body(brushStrokes=[stroke] * 60)).encode()).details]
    assert fields[:3] == ["brushStrokes[0].points[0].x", "brushStrokes[0].points[0].y", "brushStrokes[1].points[0].x"]
    assert len(fields) == 120


def test_base64_in_pieces_is_joined_cheaply() -> None:
    content = json.dumps(body(originalImageBase64="AA " * 3_000_000)).encode()
    tracemalloc.start()
    try:
        parse_start(content)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 5 * len(content)  # in pieces it would be 30 times


@pytest.mark.parametrize("between", [" ", "\n", "\r\n", "\t", "\v\f"])
def test_whitespace_in_base64_is_left_out(between: str) -> None:
    pieces = between.join(base64.b64encode(jpeg()).decode()[place : place + 76] for place in range(0, 4000, 76))
    assert parse_start(json.dumps(body(originalImageBase64=between + pieces)).encode()).picture == jpeg()
