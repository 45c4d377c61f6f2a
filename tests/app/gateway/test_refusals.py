import base64
import json
import struct
import uuid
import zlib
from typing import Any

import httpx
import pytest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from app.errors.services import AzureNotFoundError
from app.names import workflow_id_for
from app.pictures.photo import MAX_PICTURE_BYTES
from app.services.blob import BlobStore
from app.settings import Settings
from tests.app.gateway.conftest import body, jpeg, serving

pytestmark = pytest.mark.asyncio(loop_scope="session")

GOOD_POINT = {"x": 0.5, "y": 0.5, "label": 1}
HALF = [{"x": 0, "y": 0}] * 1001


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")


def points(*given: dict[str, Any]) -> dict[str, Any]:
    return {"maskPoints": [GOOD_POINT, *given]}


def stroke(**changes: Any) -> dict[str, Any]:
    good = {"points": [{"x": 0.5, "y": 0.5}], "mode": "add", "size": 20}
    return {"brushStrokes": [{key: value for key, value in (good | changes).items() if value is not ...}]}


IMAGE = "originalImageBase64"
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no picture": ({IMAGE: ...}, IMAGE),
    "picture is null": ({IMAGE: None}, IMAGE),
    "picture is a number": ({IMAGE: 5}, IMAGE),
    "picture is empty": ({IMAGE: ""}, IMAGE),
    "broken base64": ({IMAGE: b64(jpeg())[:-1] + "!"}, IMAGE),
    "base64 without its padding": ({IMAGE: b64(b"1234").rstrip("=")}, IMAGE),
    "not ascii": ({IMAGE: "äöü" * 100}, IMAGE),
    "data URL that is not base64": ({IMAGE: "data:image/svg+xml,<svg>"}, IMAGE),
    "data URL without end": ({IMAGE: "data:" + "a" * 5000}, IMAGE),
    "text": ({IMAGE: b64(b"hello " * 100)}, IMAGE),
    "a GIF": ({IMAGE: b64(b"GIF89a" + b"\0" * 100)}, IMAGE),
    "one pixel": ({IMAGE: b64(png(1, 1))}, IMAGE),
    "a bomb": ({IMAGE: b64(png(30_000, 30_000))}, IMAGE),
    "too many pixels": ({IMAGE: b64(png(10_000, 6_451))}, IMAGE),
    "no points": ({"maskPoints": ...}, "maskPoints"),
    "empty points": ({"maskPoints": []}, "maskPoints"),
    "65 points": ({"maskPoints": [GOOD_POINT] * 65}, "maskPoints"),
    "points are text": ({"maskPoints": "0.5,0.5"}, "maskPoints"),
    "no foreground": ({"maskPoints": [GOOD_POINT | {"label": 0}]}, "maskPoints"),
    "x below 0": (points({"x": -0.0001, "y": 0, "label": 1}), "maskPoints[1].x"),
    "y above 1": (points({"x": 0, "y": 1.0001, "label": 1}), "maskPoints[1].y"),
    "x is NaN": (points({"x": float("nan"), "y": 0, "label": 1}), "maskPoints[1].x"),
    "x is infinite": (points({"x": float("inf"), "y": 0, "label": 1}), "maskPoints[1].x"),
    "x is text": (points({"x": "0.5", "y": 0, "label": 1}), "maskPoints[1].x"),
    "x is null": (points({"x": None, "y": 0, "label": 1}), "maskPoints[1].x"),
    "y is missing": (points({"x": 0.5, "label": 1}), "maskPoints[1].y"),
    "unknown label": (points({"x": 0, "y": 0, "label": 2}), "maskPoints[1].label"),
    "label is true": (points({"x": 0, "y": 0, "label": True}), "maskPoints[1].label"),
    "label is text": (points({"x": 0, "y": 0, "label": "1"}), "maskPoints[1].label"),
    "empty stroke": (stroke(points=[]), "brushStrokes[0].points"),
    "stroke without points": (stroke(points=...), "brushStrokes[0].points"),
    "stroke outside": (stroke(points=[{"x": 0.1, "y": 2}]), "brushStrokes[0].points[0].y"),
    "unknown mode": (stroke(mode="erase"), "brushStrokes[0].mode"),
    "no mode": (stroke(mode=...), "brushStrokes[0].mode"),
    "size 0": (stroke(size=0), "brushStrokes[0].size"),
    "size 501": (stroke(size=500.1), "brushStrokes[0].size"),
    "size NaN": (stroke(size=float("nan")), "brushStrokes[0].size"),
    "no size": (stroke(size=...), "brushStrokes[0].size"),
    "65 strokes": ({"brushStrokes": stroke()["brushStrokes"] * 65}, "brushStrokes"),
    "2,001 points in a stroke": (stroke(points=[{"x": 0, "y": 0}] * 2001), "brushStrokes[0].points"),
    "2,001 points in two": (
        {"brushStrokes": stroke(points=[{"x": 0, "y": 0}] * 1001)["brushStrokes"] * 2},
        "brushStrokes",
    ),
    "long session": ({"sessionId": "s" * 129}, "sessionId"),
    "session is a number": ({"sessionId": 7}, "sessionId"),
}


@pytest.mark.parametrize("name", BAD)
async def test_bad_input_names_its_field_and_starts_nothing(
    http: httpx.AsyncClient, client: Client, blobs: BlobStore, name: str
) -> None:
    changes, where = BAD[name]
    key = str(uuid.uuid4())
    answer = await http.post("/workflow/start", content=json.dumps(body(**changes)), headers={"Idempotency-Key": key})
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert error["code"] in {"INVALID_REQUEST", "INVALID_IMAGE"}
    assert where in [detail["field"] for detail in error["details"]]
    assert all(detail["message"] for detail in error["details"])
    assert len(answer.content) <= 4096
    workflow_id = workflow_id_for(key)
    with pytest.raises(RPCError) as refused:
        await client.get_workflow_handle(workflow_id).describe()
    assert refused.value.status is RPCStatusCode.NOT_FOUND
    with pytest.raises(AzureNotFoundError):
        await blobs.info(f"staging/{workflow_id}")


@pytest.mark.parametrize("name", ["text", "a GIF", "one pixel", "a bomb", "too many pixels", "picture is empty"])
async def test_a_picture_that_cannot_be_used_has_its_own_code(http: httpx.AsyncClient, name: str) -> None:
    answer = await http.post("/workflow/start", json=body(**BAD[name][0]))
    error = answer.json()["error"]
    assert error["code"] == "INVALID_IMAGE"
    assert error["details"] == [{"field": IMAGE, "message": error["message"]}]


@pytest.mark.parametrize(
    "content", [b"", b"{", b"not json", b"\xff\xfe", b'{"a": "\xff"}', b"null", b"[]", b'"text"', b"[" * 100_000]
)
async def test_what_is_not_a_json_object_is_refused(http: httpx.AsyncClient, content: bytes) -> None:
    answer = await http.post("/workflow/start", content=content)
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "INVALID_REQUEST"
    assert answer.json()["error"]["details"][0]["field"] == "body"


async def test_a_photo_that_the_worker_would_not_read_is_refused_here(settings: Settings, client: Client) -> None:
    roomy = settings.model_copy(update={"max_body_mb": 100})
    photo = jpeg() + b"\0" * MAX_PICTURE_BYTES  # what follows the end of a JPEG is no fault of it
    async with serving(roomy, client) as served:
        answer = await served.http.post("/workflow/start", json=body(originalImageBase64=b64(photo)))
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "INVALID_IMAGE")
        assert "at most 48 MiB are taken" in answer.json()["error"]["message"]
        just_enough = b64(photo[:MAX_PICTURE_BYTES])
        assert (
            await served.http.post("/workflow/start", json=body(originalImageBase64=just_enough))
        ).status_code == 202


async def test_at_most_20_errors_and_nothing_of_the_picture(http: httpx.AsyncClient) -> None:
    wrong = {"x": "secret-number", "y": "secret-number", "label": "secret-label"}
    answer = await http.post(
        "/workflow/start", json=body(originalImageBase64="secret-picture!" * 10_000, maskPoints=[wrong] * 64)
    )
    assert answer.status_code == 422
    assert len(answer.json()["error"]["details"]) == 20
    assert len(answer.content) <= 4096
    assert "secret" not in answer.text


async def test_a_flood_of_errors_is_answered_in_time(http: httpx.AsyncClient) -> None:
    content = b'{"maskPoints":[' + b",".join([b"{}"] * 300_000) + b"]}"
    answer = await http.post("/workflow/start", content=content)
    assert answer.status_code == 422
    assert answer.elapsed.total_seconds() < 10
