"""The four services over real HTTP, on real blobs."""

import asyncio
import base64
import io

import httpx
import pytest
from PIL import Image

from fakes import a100, birefnet, image_manipulator, pictures, sam3
from fakes.settings import ServiceSettings
from fakes.storage.store import open_store
from tests.fakes.conftest import Opened

CONTAINER = "azure://jewelry-uploads"


@pytest.fixture(scope="module")
def photo() -> bytes:
    return pictures.portrait(800, 600, seed=3)


async def put(settings: ServiceSettings, uri: str, data: bytes) -> str:
    async with open_store(settings) as store:
        return await store.put(uri, data)


async def get(settings: ServiceSettings, uri: str) -> bytes:
    async with open_store(settings) as store:
        return await store.get(uri)


async def job(client: httpx.AsyncClient, body: dict[str, object], key: str) -> dict[str, str]:
    headers = {"X-Workflow-Id": key}
    submitted = await client.post("/jobs", json=body, headers=headers)
    assert submitted.status_code == 200, submitted.text
    assert list(submitted.json()) == ["job_id"]
    polled = await client.get(f"/jobs/{submitted.json()['job_id']}", headers=headers)
    assert polled.status_code == 200
    answer: dict[str, str] = polled.json()
    return answer


async def test_resize_keeps_the_shape_and_names_the_blob(
    settings: ServiceSettings, opened: Opened, photo: bytes, key: str
) -> None:
    uri = await put(settings, f"{CONTAINER}/{key}.jpg", photo)
    async with opened(image_manipulator.create_app(settings)) as client:
        answer = await client.post("/resize", json={"image_uri": uri, "max_dimension": 400})
        assert answer.json() == {
            "resized_uri": f"{CONTAINER}/{key}-resized.jpg",
            "original_width": 800,
            "original_height": 600,
            "new_width": 400,
            "new_height": 300,
        }
        larger = await client.post("/resize", json={"image_uri": uri, "max_dimension": 1536})
        assert (larger.json()["new_width"], larger.json()["new_height"]) == (800, 600)
    with Image.open(io.BytesIO(await get(settings, f"{CONTAINER}/{key}-resized.jpg"))) as resized:
        assert resized.format == "JPEG"
        assert resized.size == (800, 600)


async def test_zoom_depends_on_the_picture(settings: ServiceSettings, opened: Opened, key: str) -> None:
    near = await put(settings, f"{CONTAINER}/{key}-near.jpg", pictures.portrait(400, 400, seed=1, zoom=2.5))
    far = await put(settings, f"{CONTAINER}/{key}-far.jpg", pictures.portrait(400, 400, seed=1, zoom=1.0))
    async with opened(image_manipulator.create_app(settings)) as client:
        answers = [(await client.post("/zoom_check", json={"image_uri": uri})).json() for uri in (near, far)]
    assert [sorted(answer) for answer in answers] == [["recommend_bg_removal", "zoom_level"]] * 2
    assert [answer["recommend_bg_removal"] for answer in answers] == [False, True]
    assert answers[0]["zoom_level"] > answers[1]["zoom_level"]


async def test_birefnet_gives_a_png_with_alpha(
    settings: ServiceSettings, opened: Opened, photo: bytes, key: str
) -> None:
    uri = await put(settings, f"{CONTAINER}/{key}-resized.jpg", photo)
    async with opened(birefnet.create_app(settings)) as client:
        answer = await job(client, {"image_uri": uri}, key)
    assert answer == {"status": "completed", "result_uri": f"{CONTAINER}/{key}-resized-nobg.png"}
    with Image.open(io.BytesIO(await get(settings, answer["result_uri"]))) as cutout:
        assert (cutout.format, cutout.mode, cutout.size) == ("PNG", "RGBA", (800, 600))


async def test_sam3_and_the_a100_follow_the_points(
    settings: ServiceSettings, opened: Opened, photo: bytes, key: str
) -> None:
    uri = await put(settings, f"{CONTAINER}/{key}-resized.jpg", photo)
    async with opened(sam3.create_app(settings)) as client:
        answer = await job(client, {"image_uri": uri, "points": [[0.5, 0.7]], "labels": [1]}, key)
    assert answer == {"status": "completed", "mask_uri": f"{CONTAINER}/{key}-resized-mask.png"}
    async with opened(a100.create_app(settings)) as client:
        assert (await client.get("/health")).json() == {"status": "online", "gpu_memory_free": 40000}
        stroke = {"points": [[0.2, 0.2], [0.3, 0.2]], "mode": "add", "size": 20}
        refined = await client.post(
            "/refine_mask", json={"image_uri": uri, "mask_uri": answer["mask_uri"], "strokes": [stroke]}
        )
        assert refined.json() == {"refined_mask_uri": f"{CONTAINER}/{key}-resized-mask-refined.png"}
        made = [
            (await client.post("/generate", json={"image_uri": uri, "mask_uri": mask})).json()
            for mask in (answer["mask_uri"], refined.json()["refined_mask_uri"])
        ]
    assert sorted(made[0]) == [
        "fidelity_viz_base64",
        "fidelity_viz_gemini_base64",
        "metrics",
        "metrics_gemini",
        "result_base64",
        "result_gemini_base64",
    ]
    assert sorted(made[0]["metrics"]) == ["growth_ratio", "iou", "precision", "recall"]
    assert made[0]["result_base64"] != made[0]["result_gemini_base64"]
    assert made[0]["result_base64"] != made[1]["result_base64"], "the strokes changed nothing"
    with Image.open(io.BytesIO(base64.b64decode(made[0]["result_base64"]))) as result:
        assert (result.format, result.size) == ("JPEG", (800, 600))


async def test_gemini_can_be_off(settings: ServiceSettings, opened: Opened, photo: bytes, key: str) -> None:
    uri = await put(settings, f"{CONTAINER}/{key}.jpg", photo)
    mask = await put(settings, f"{CONTAINER}/{key}-mask.png", await asyncio.to_thread(_mask, photo))
    async with opened(a100.create_app(settings.model_copy(update={"a100_gemini": False}))) as client:
        made = (await client.post("/generate", json={"image_uri": uri, "mask_uri": mask})).json()
    assert made["result_base64"]
    assert made["result_gemini_base64"] is None
    assert made["fidelity_viz_gemini_base64"] is None
    assert made["metrics_gemini"] is None


def _mask(photo: bytes) -> bytes:
    return pictures.segment(photo, [(0.5, 0.7)], [1])


@pytest.mark.parametrize(
    ("module", "path", "body"),
    [
        (image_manipulator, "/resize", {"image_uri": "https://example.org/x.jpg", "max_dimension": 1536}),
        (image_manipulator, "/zoom_check", {"image_uri": "azure://jewelry-uploads/"}),
        (sam3, "/jobs", {"image_uri": "azure://c/x.jpg", "points": [[0.5, 1.5]], "labels": [1]}),
        (sam3, "/jobs", {"image_uri": "azure://c/x.jpg", "points": [[0.5, 0.5]], "labels": [1, 0]}),
        (a100, "/refine_mask", {"image_uri": "azure://c/x", "mask_uri": "azure://c/y", "strokes": [{"points": []}]}),
    ],
)
async def test_what_is_not_the_contract_is_refused(
    settings: ServiceSettings, opened: Opened, module: object, path: str, body: dict[str, object]
) -> None:
    async with opened(module.create_app(settings)) as client:  # type: ignore[attr-defined]
        assert (await client.post(path, json=body)).status_code == 422


async def test_a_blob_or_a_job_that_is_not_there(settings: ServiceSettings, opened: Opened, key: str) -> None:
    missing = f"{CONTAINER}/{key}-nothing.jpg"
    async with opened(image_manipulator.create_app(settings)) as client:
        assert (await client.post("/zoom_check", json={"image_uri": missing})).status_code == 404
        assert (await client.get("/")).json() == {"service": "image_manipulator", "fake": True}
    async with opened(birefnet.create_app(settings)) as client:
        assert (await client.get("/jobs/unknown")).status_code == 404
        assert await job(client, {"image_uri": missing}, key) == {"status": "failed"}


async def test_a_blob_that_is_no_picture(settings: ServiceSettings, opened: Opened, key: str) -> None:
    uri = await put(settings, f"{CONTAINER}/{key}.jpg", b"no picture at all")
    async with opened(image_manipulator.create_app(settings)) as client:
        refused = await client.post("/resize", json={"image_uri": uri, "max_dimension": 1536})
        assert refused.status_code == 422
        assert "picture" in refused.json()["detail"]
