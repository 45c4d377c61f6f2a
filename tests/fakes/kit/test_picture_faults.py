"""Each fault of pictures and of contract: a valid 200 that is wrong, in real and in virtual time."""

import base64
import binascii
import io
import math
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from PIL import Image, ImageChops

from fakes import a100, birefnet, image_manipulator, pictures, sam3
from fakes.kit.client import AsyncControl, ControlError
from fakes.kit.serve import serving
from fakes.settings import ServiceSettings
from fakes.storage.store import BlobStore, open_store

MODULES: dict[str, Any] = {"image_manipulator": image_manipulator, "birefnet": birefnet, "sam3": sam3, "a100": a100}
SIZE = (96, 80)


@dataclass
class Services:
    """The four services, each with one way to ask for its picture."""

    settings: ServiceSettings
    store: BlobStore
    key: str
    virtual: bool

    @property
    def photo(self) -> str:
        return f"azure://jewelry-uploads/{self.key}.jpg"

    @property
    def mask(self) -> str:
        return f"azure://jewelry-uploads/{self.key}-mask.png"

    async def ask(self, operation: str, *rules: dict[str, Any]) -> dict[str, Any]:
        """Ask a service under rules. The answer to a submit is that of the poll after it."""
        service, path, body = {
            "resize": ("image_manipulator", "/resize", {"image_uri": self.photo, "max_dimension": 64}),
            "remove": ("birefnet", "/jobs", {"image_uri": self.photo}),
            "segment": ("sam3", "/jobs", {"image_uri": self.photo, "points": [[0.5, 0.6]], "labels": [1]}),
            "refine": ("a100", "/refine_mask", {"image_uri": self.photo, "mask_uri": self.mask, "strokes": []}),
            "zoom": ("image_manipulator", "/zoom_check", {"image_uri": self.photo}),
            "generate": ("a100", "/generate", {"image_uri": self.photo, "mask_uri": self.mask}),
        }[operation]
        headers = {"X-Workflow-Id": self.key} | ({"X-Sim-Time": "1000"} if self.virtual else {})
        async with (
            serving(MODULES[service].create_app(self.settings)) as url,
            AsyncControl(url) as control,
            httpx.AsyncClient(base_url=url, headers=headers, timeout=20) as http,
        ):
            await control.add(*({"expect": True} | rule for rule in rules))
            answer = await http.post(path, json=body)
            assert answer.status_code == 200, answer.text
            if path == "/jobs":
                answer = await http.get(f"/jobs/{answer.json()['job_id']}")
                assert answer.status_code == 200, answer.text
            assert (await control.verdict())["verdict"] == "passed"
            told: dict[str, Any] = answer.json()
            return told

    async def picture(self, operation: str, kind: str, **parameters: Any) -> bytes:
        """Return the picture that the answer leads to, made under a fault."""
        answer = await self.ask(operation, {"fault": {"kind": kind, **parameters}})
        uris = [value for name, value in answer.items() if name.endswith("_uri")]
        return await self.store.get(uris[0]) if uris else base64.b64decode(answer["result_base64"])


@pytest.fixture
async def services(settings: ServiceSettings, key: str, virtual: bool) -> AsyncIterator[Services]:
    async with open_store(settings) as store:
        made = Services(settings, store, key, virtual)
        photo = pictures.portrait(*SIZE, seed=5)
        await store.put(made.photo, photo)
        await store.put(made.mask, pictures.segment(photo, [(0.5, 0.6)], [1]))
        yield made


def opened(data: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture


@pytest.mark.parametrize("operation", ["resize", "remove", "segment", "refine", "generate"])
async def test_picture_truncated(services: Services, operation: str) -> None:
    data = await services.picture(operation, "picture_truncated")
    with pytest.raises((OSError, SyntaxError)):
        opened(data)


@pytest.mark.parametrize(("operation", "end"), [("resize", b"\xff\xd9"), ("segment", b"\0\0\0\0IEND\xaeB`\x82")])
async def test_picture_without_its_end(services: Services, operation: str, end: bytes) -> None:
    whole = await services.picture(operation, "extra_field")
    assert whole.endswith(end)
    cut = await services.picture(operation, "picture_truncated", at="end")
    assert cut == whole.removesuffix(end) + bytes(64)


@pytest.mark.parametrize(
    ("operation", "size"), [("resize", (63, 53)), ("remove", (95, 80)), ("segment", (95, 80)), ("generate", (95, 80))]
)
async def test_picture_size(services: Services, operation: str, size: tuple[int, int]) -> None:
    assert opened(await services.picture(operation, "picture_size")).size == size


@pytest.mark.parametrize("operation", ["resize", "remove", "segment", "refine", "generate"])
async def test_picture_garbage(services: Services, operation: str) -> None:
    assert (await services.picture(operation, "picture_garbage")).startswith(b"<!doctype html>")


@pytest.mark.parametrize("operation", ["resize", "remove", "segment", "refine"])
async def test_picture_empty(services: Services, operation: str) -> None:
    assert await services.picture(operation, "picture_empty") == b""


async def test_picture_heavy(services: Services) -> None:
    answer = await services.ask("remove", {"fault": {"kind": "picture_heavy", "size": 1_000_000}})
    data = await services.store.get(answer["result_uri"])
    assert (len(data), opened(data).format) == (1_000_000, "PNG")


@pytest.mark.parametrize(("kind", "alpha"), [("cutout_empty", (0, 0)), ("cutout_full", (255, 255))])
async def test_cutout_empty_full(services: Services, kind: str, alpha: tuple[int, int]) -> None:
    cutout = opened(await services.picture("remove", kind))
    assert (cutout.mode, cutout.getchannel("A").getextrema()) == ("RGBA", alpha)


@pytest.mark.parametrize(("mode", "written"), [("palette", "P"), ("grey", "LA")])
async def test_cutout_mode(services: Services, mode: str, written: str) -> None:
    answer = await services.ask("remove", {"fault": {"kind": "cutout_mode", "mode": mode}})
    cutout = opened(await services.store.get(answer["result_uri"]))
    assert (cutout.mode, cutout.has_transparency_data) == (written, True)
    assert cutout.convert("RGBA").getchannel("A").getextrema() == (0, 255)


async def test_picture_no_alpha(services: Services) -> None:
    cutout = opened(await services.picture("remove", "picture_no_alpha"))
    assert (cutout.format, cutout.mode) == ("PNG", "RGB")


@pytest.mark.parametrize("operation", ["resize", "remove", "generate"])
async def test_picture_unchanged(services: Services, operation: str) -> None:
    assert await services.picture(operation, "picture_unchanged") == await services.store.get(services.photo)


@pytest.mark.parametrize(("operation", "true"), [("resize", "JPEG"), ("remove", "PNG"), ("generate", "JPEG")])
async def test_picture_format(services: Services, operation: str, true: str) -> None:
    assert opened(await services.picture(operation, "picture_format")).format != true


@pytest.mark.parametrize("operation", ["segment", "refine"])
async def test_mask_empty_full_inverted(services: Services, operation: str) -> None:
    name = {"segment": "mask_uri", "refine": "refined_mask_uri"}[operation]
    true = opened(await services.store.get((await services.ask(operation))[name]))
    assert opened(await services.picture(operation, "mask_empty")).getextrema() == (0, 0)
    assert opened(await services.picture(operation, "mask_full")).getextrema() == (255, 255)
    inverted = opened(await services.picture(operation, "mask_inverted"))
    assert ImageChops.difference(ImageChops.invert(true), inverted).getbbox() is None


@pytest.mark.parametrize(("operation", "name"), [("segment", "mask_uri"), ("refine", "refined_mask_uri")])
async def test_mask_foreign(services: Services, operation: str, name: str) -> None:
    answer = await services.ask(operation, {"fault": {"kind": "mask_foreign"}})
    assert services.key not in answer[name]
    assert opened(await services.store.get(answer[name])).size == SIZE


async def test_base64_broken(services: Services) -> None:
    answer = await services.ask("generate", {"fault": {"kind": "base64_broken"}})
    with pytest.raises(binascii.Error):
        base64.b64decode(answer["result_base64"], validate=True)


async def test_gemini_null(services: Services) -> None:
    answer = await services.ask("generate", {"fault": {"kind": "gemini_null"}})
    assert {name for name, value in answer.items() if value is None} == {
        "result_gemini_base64",
        "fidelity_viz_gemini_base64",
        "metrics_gemini",
    }


@pytest.mark.parametrize(
    ("operation", "field"), [("resize", "resized_uri"), ("remove", "result_uri"), ("segment", "mask_uri")]
)
async def test_result_named(services: Services, operation: str, field: str) -> None:
    uri = (await services.ask(operation, {"fault": {"kind": "result_named"}}))[field]
    assert uri.startswith("azure://jewelry-uploads/results/")
    assert services.key not in uri
    opened(await services.store.get(uri))


@pytest.mark.parametrize(("operation", "field"), [("resize", "resized_uri"), ("remove", "result_uri")])
async def test_source_named(services: Services, operation: str, field: str) -> None:
    photo = await services.store.get(services.photo)
    assert (await services.ask(operation, {"fault": {"kind": "source_named"}}))[field] == services.photo
    assert await services.store.get(services.photo) == photo  # nobody wrote over it


@pytest.mark.parametrize(
    ("operation", "field", "suffix", "true"),
    [("resize", "resized_uri", ".png", "PNG"), ("segment", "mask_uri", ".jpg", "JPEG")],
)
async def test_result_format(services: Services, operation: str, field: str, suffix: str, true: str) -> None:
    uri = (await services.ask(operation, {"fault": {"kind": "result_format"}}))[field]
    assert uri.endswith(suffix)
    assert services.key in uri
    assert opened(await services.store.get(uri)).format == true


@pytest.mark.parametrize(
    ("values", "mode", "extrema"),
    [
        ("0-1", "L", (0, 1)),
        ("1-2", "L", (1, 2)),
        ("1-bit", "1", (0, 255)),
        ("rgb", "RGB", ((0, 255),) * 3),
        ("palette", "P", (0, 255)),
        ("16-bit", "I;16", (0, 65535)),
        ("16-bit-0-1", "I;16", (0, 1)),
        ("alpha", "RGBA", ((255, 255),) * 3 + ((0, 255),)),
    ],
)
async def test_mask_values(services: Services, values: str, mode: str, extrema: object) -> None:
    answer = await services.ask("segment", {"fault": {"kind": "mask_values", "values": values}})
    mask = opened(await services.store.get(answer["mask_uri"]))
    assert (mask.mode, mask.size, mask.getextrema()) == (mode, SIZE, extrema)


@pytest.mark.parametrize("how", ["base64", "cut", "html"])
async def test_result_broken(services: Services, how: str) -> None:
    fault = {"kind": "result_broken", "field": "fidelity_viz_base64", "how": how}
    answer = await services.ask("generate", {"fault": fault})
    opened(base64.b64decode(answer["result_base64"]))
    with pytest.raises((OSError, SyntaxError, binascii.Error)):
        opened(base64.b64decode(answer["fidelity_viz_base64"], validate=True))


async def test_a_result_with_a_bomb(services: Services) -> None:
    fault = {"kind": "result_broken", "field": "fidelity_viz_base64", "how": "bomb"}
    answer = await services.ask("generate", {"fault": fault})
    image = opened(base64.b64decode(answer["fidelity_viz_base64"]))
    assert (image.format, image.size) == ("JPEG", (4000, 3001))


async def test_float_noise(services: Services) -> None:
    true = await services.ask("generate")
    noisy = await services.ask("generate", {"fault": {"kind": "float_noise"}})
    for name, value in true["metrics"].items():
        assert 0 < abs(noisy["metrics"][name] - value) < 1e-8
    assert noisy["result_base64"] == true["result_base64"]


@pytest.mark.parametrize("dress", ["data_url", "lines", "urlsafe", "unpadded"])
async def test_base64_dress(services: Services, dress: str) -> None:
    plain = (await services.ask("generate"))["result_base64"]
    told = (await services.ask("generate", {"fault": {"kind": "base64_dress", "dress": dress}}))["result_base64"]
    assert told != plain or (dress == "unpadded" and not plain.endswith("="))
    undone = {
        "data_url": told.removeprefix("data:image/jpeg;base64,"),
        "lines": "".join(told.split()),
        "urlsafe": told.replace("-", "+").replace("_", "/"),
        "unpadded": told + "=" * (-len(told) % 4),
    }
    assert undone[dress] == plain


async def test_missing_field(services: Services) -> None:
    answer = await services.ask("resize", {"fault": {"kind": "missing_field", "field": "new_width"}})
    assert sorted(answer) == ["new_height", "original_height", "original_width", "resized_uri"]


async def test_null_field(services: Services) -> None:
    assert (await services.ask("resize", {"fault": {"kind": "null_field", "field": "new_width"}}))["new_width"] is None


async def test_wrong_type_to(services: Services) -> None:
    quoted = {"kind": "wrong_type", "field": "recommend_bg_removal", "to": "quoted"}
    assert (await services.ask("zoom", {"operation": "zoom_check", "fault": quoted}))["recommend_bg_removal"] in {
        "true",
        "false",
    }
    nan = {"kind": "wrong_type", "field": "zoom_level", "to": "nan"}
    assert math.isnan((await services.ask("zoom", {"operation": "zoom_check", "fault": nan}))["zoom_level"])


async def test_wrong_type(services: Services) -> None:
    number = await services.ask("resize", {"fault": {"kind": "wrong_type", "field": "new_width"}})
    text = await services.ask("segment", {"operation": "poll", "fault": {"kind": "wrong_type", "field": "mask_uri"}})
    assert (number["new_width"], text["mask_uri"]) == ("forty-two", 42)


async def test_wrong_value(services: Services) -> None:
    fault = {"kind": "wrong_value", "field": "mask_uri", "value": "azure://elsewhere/a.png"}
    assert (await services.ask("segment", {"operation": "poll", "fault": fault}))["mask_uri"] == fault["value"]


async def test_wrong_number(services: Services) -> None:
    answer = await services.ask("resize", {"fault": {"kind": "wrong_number", "field": "new_width", "by": 3}})
    assert answer["new_width"] == 67


async def test_extra_field(services: Services) -> None:
    answer = await services.ask("resize", {"fault": {"kind": "extra_field", "field": "eta", "value": [1]}})
    assert (answer["eta"], answer["new_width"]) == ([1], 64)


async def test_a_fault_that_found_nothing_to_change_did_not_fire(services: Services) -> None:
    """`mask_uri` is missing from a poll that says processing: that is the contract, not the fault."""
    with pytest.raises(AssertionError):
        await services.ask(
            "segment",
            {"operation": "submit", "fault": {"kind": "job_stuck"}},
            {"operation": "poll", "fault": {"kind": "missing_field", "field": "mask_uri"}},
        )


@pytest.mark.parametrize(
    ("operation", "kind", "why"),
    [
        ("resize", "mask_empty", "makes no mask"),
        ("resize", "job_stuck", "neither submits nor polls"),
        ("zoom_check", "picture_truncated", "makes no"),
    ],
)
async def test_a_fault_that_does_not_fit_is_refused(
    settings: ServiceSettings, operation: str, kind: str, why: str
) -> None:
    async with serving(image_manipulator.create_app(settings)) as url, AsyncControl(url) as control:
        with pytest.raises(ControlError, match=why):
            await control.add({"operation": operation, "fault": {"kind": kind}})
