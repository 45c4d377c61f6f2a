"""Every kind of photo that users send, through the real stack: upright and in colour at the end, or refused clearly."""

import asyncio
import base64
import struct
import zlib
from collections.abc import AsyncIterator, Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
from azure.storage.blob.aio import BlobServiceClient, ContainerClient
from PIL import Image, ImageCms, ImageOps

from fakes.pictures.portrait import necklace_points, portrait
from scenarios.gateway_client import FailedError, GatewayClient, RefusedError, start_body
from scenarios.stack.programs import Options
from scenarios.stack.stack import Stack
from scenarios.stories.profiles import ADOBE_PRIMARIES, rgb_profile
from tests.app.pictures.made import (
    XMP_TURNED,
    chunk,
    exif_segment,
    exif_tiff,
    segment,
    with_chunks,
    with_segments,
)

# Photos of a real person, which only a development machine and CI have.
SHARED = Path(__file__).resolve().parents[4] / "shared" / "photos"
LONGEST_SIDE = 1536
POINTS: list[dict[str, float | int]] = [{"x": x, "y": y, "label": 1} for x, y in necklace_points(600, 800)]


def encoded(change: Callable[[Image.Image], Image.Image], kind: str = "JPEG", **options: Any) -> bytes:
    """The portrait after a change, as a file of this kind."""
    file = BytesIO()
    with Image.open(BytesIO(portrait(600, 800, 3))) as image:
        change(image).save(file, kind, **options)
    return file.getvalue()


def rotated_by_exif() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright: show it turned by 90 degrees
    return encoded(lambda image: image.transpose(Image.Transpose.ROTATE_90), exif=exif)


def sixteen_bit() -> bytes:
    def widen(image: Image.Image) -> Image.Image:
        return Image.fromarray((np.asarray(image.convert("L"), np.uint16) << 8).astype(np.uint16))

    return encoded(widen, "PNG")


GOOD: dict[str, Callable[[], bytes]] = {
    "progressive": lambda: encoded(lambda image: image, progressive=True),
    "turned by EXIF": rotated_by_exif,
    "grey": lambda: encoded(lambda image: image.convert("L")),
    "CMYK": lambda: encoded(lambda image: image.convert("CMYK")),
    "PNG": lambda: encoded(lambda image: image, "PNG"),
    "PNG with alpha": lambda: encoded(lambda image: image.convert("RGBA"), "PNG"),
    "PNG with a palette": lambda: encoded(lambda image: image.convert("P"), "PNG"),
    "PNG of 16 bits": sixteen_bit,
    "small": lambda: encoded(lambda image: image.resize((48, 64))),
    **{path.name: path.read_bytes for path in sorted(SHARED.glob("*.*"))},
}


JPEG = encoded(lambda image: image)
PNG = encoded(lambda image: image, "PNG")
SECRET = b"52.516 N, 13.377 E"
GPS = exif_segment(exif_tiff((0x8825, 4, 1, 26)) + SECRET)


def in_srgb(profile: bytes) -> bytes:
    """What the portrait shows where its numbers are meant by that profile."""
    given = ImageCms.ImageCmsProfile(BytesIO(profile))
    srgb = ImageCms.createProfile("sRGB")
    return encoded(lambda image: ImageCms.profileToProfile(image, given, srgb) or image, "PNG")


def of_64_megapixels() -> bytes:
    size = (9248, 6936)
    return encoded(lambda image: image.quantize(16).resize(size, Image.Resampling.NEAREST), "PNG", compress_level=1)


# What phones and programs write beside or instead of what they should, and a file that shows the same.
ODD: dict[str, tuple[Callable[[], bytes], Callable[[], bytes]]] = {
    "no end marker": (lambda: JPEG[:-2], lambda: JPEG),
    "no end marker, progressive": (lambda: encoded(lambda image: image, progressive=True)[:-2], lambda: JPEG),
    "a trailer instead of an end marker": (lambda: JPEG[:-2] + bytes(range(200)) * 300, lambda: JPEG),
    "a place, a comment and a video": (
        lambda: with_segments(JPEG, GPS, segment(0xFE, SECRET)) + SECRET * 1000,
        lambda: JPEG,
    ),
    "fill bytes": (lambda: with_segments(JPEG, b"\xff" * 300), lambda: JPEG),
    "turned by XMP": (lambda: with_segments(JPEG, segment(0xE1, XMP_TURNED)), lambda: JPEG),
    "a broken text": (lambda: with_chunks(PNG, chunk(b"tEXt", b"a\0b", sound=False)), lambda: PNG),
    "a long text": (lambda: with_chunks(PNG, chunk(b"tEXt", b"workflow\0" + b"x" * 9_000_000)), lambda: PNG),
    "another screen's colours": (
        lambda: encoded(lambda image: image, icc_profile=rgb_profile()),
        lambda: in_srgb(rgb_profile()),
    ),
    "Adobe RGB": (
        lambda: encoded(lambda image: image, "PNG", icc_profile=rgb_profile(ADOBE_PRIMARIES)),
        lambda: in_srgb(rgb_profile(ADOBE_PRIMARIES)),
    ),
    "64 megapixels": (of_64_megapixels, lambda: encoded(lambda image: image.resize((1536, 1152)), "PNG")),
}

# By the table beside the files, which a checkout alone has not: the size, and the colour of the wall where it matters.
FIELD = SHARED.parent / "field"
SMALL = (600, 480)
SHOWN: dict[str, tuple[tuple[int, int], tuple[int, int, int] | None, int]] = {
    "07-8160x6144.png": ((1536, 1157), None, 0),
    "13-display-p3.jpg": (SMALL, (219, 41, 39), 9),
    "14-palette-display-p3.png": (SMALL, (217, 42, 39), 9),
    "37-cmyk-with-profile.jpg": (SMALL, (0, 150, 218), 25),
}
FIELD_FILES = [path for path in sorted(FIELD.glob("[0-3]*.[jp]*g")) if not path.name.startswith("26")]


def bomb() -> bytes:
    """A PNG whose head claims 900 megapixels."""
    data = bytearray(encoded(lambda image: image.resize((64, 64)), "PNG"))
    data[16:24] = struct.pack(">II", 30_000, 30_000)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    return bytes(data)


BAD: dict[str, Callable[[], bytes]] = {
    "truncated": lambda: portrait(600, 800, 3)[:20_000],
    "text": lambda: b"this is not a picture",
    "empty": lambda: b"",
    "one pixel": lambda: encoded(lambda image: image.resize((1, 1)), "PNG"),
    "bomb": bomb,
    "GIF": lambda: encoded(lambda image: image, "GIF"),
    **{path.name: path.read_bytes for path in sorted(SHARED.glob("bad/*.*"))},
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    options = Options(profile="instant", temporal_ui=False)
    async with Stack(home=tmp_path_factory.mktemp("stack"), options=options) as stack:
        yield stack


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(stack: Stack) -> AsyncIterator[GatewayClient]:
    async with GatewayClient(stack.urls["gateway"]) as client:
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def store(stack: Stack) -> AsyncIterator[ContainerClient]:
    """The container that the services read."""
    said = stack.environment
    credential = said["AZURE_ACCOUNT_KEY"]
    async with BlobServiceClient(
        said["AZURE_BLOB_ENDPOINT"], credential=credential, api_version="2025-11-05"
    ) as account:
        yield account.get_container_client(said["AZURE_CONTAINER"])


def expected(photo: bytes) -> Image.Image:
    """What the photo shows, upright, in colour and as small as it is resized to."""
    with Image.open(BytesIO(photo)) as image:
        upright: Image.Image = ImageOps.exif_transpose(image)
        if upright.mode == "I;16":
            upright = Image.fromarray((np.asarray(upright) >> 8).astype(np.uint8))
        if "A" in upright.getbands():
            white = Image.new("RGBA", upright.size, "white")
            upright = Image.alpha_composite(white, upright.convert("RGBA"))
        upright = upright.convert("RGB")
        upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
        return upright


def difference(one: Image.Image, other: Image.Image) -> float:
    """How far the middle pixel is off, of 255: jewellery covers only a little, a turn or a lost channel all."""
    # Small, so that the grain of a palette does not count.
    small = [np.asarray(image.resize((48, 48), Image.Resampling.BOX), np.int16) for image in (one, other)]
    return float(np.median(np.abs(small[0] - small[1])))


@pytest.mark.long("every kind of photo through a stack of its own")
@pytest.mark.asyncio(loop_scope="module")
async def test_every_good_photo_ends_upright_and_in_colour(gateway: GatewayClient) -> None:
    async def try_on(name: str) -> None:
        photo = await asyncio.to_thread(GOOD[name])
        result = await gateway.try_on(start_body(photo, POINTS))
        wanted = await asyncio.to_thread(expected, photo)
        for key in ("fluxResultBase64", "geminiResultBase64"):
            with Image.open(BytesIO(base64.b64decode(result[key]))) as image:
                assert (image.format, image.mode) == ("JPEG", "RGB"), name
                assert abs(image.width - wanted.width) <= 1, name
                assert abs(image.height - wanted.height) <= 1, name
                assert difference(image, wanted) < 8, name

    async with asyncio.TaskGroup() as tries:
        for name in GOOD:
            tries.create_task(try_on(name))


async def everything_stored(store: ContainerClient, workflow_id: str) -> bytes:
    names = [blob.name async for blob in store.list_blobs() if workflow_id in blob.name]
    assert {f"{workflow_id}.jpg", f"staging/{workflow_id}"} < set(names)
    return b"".join([await (await store.download_blob(name)).readall() for name in names])


@pytest.mark.long("every kind of photo through a stack of its own")
@pytest.mark.asyncio(loop_scope="module")
async def test_every_odd_photo_ends_as_a_browser_shows_it_and_tells_nothing_else(
    gateway: GatewayClient, store: ContainerClient
) -> None:
    async def try_on(name: str) -> None:
        photo, same = await asyncio.gather(*(asyncio.to_thread(make) for make in ODD[name]))
        workflow_id = await gateway.start(start_body(photo, POINTS))
        result = await gateway.pictures(workflow_id)
        wanted = await asyncio.to_thread(expected, same)
        with Image.open(BytesIO(base64.b64decode(result["fluxResultBase64"]))) as image:
            assert abs(image.width - wanted.width) <= 1, name
            assert abs(image.height - wanted.height) <= 1, name
            assert difference(image, wanted) < 8, name
        assert SECRET not in await everything_stored(store, workflow_id)

    async with asyncio.TaskGroup() as tries:
        for name in ODD:
            tries.create_task(try_on(name))


@pytest.mark.long("every kind of photo through a stack of its own")
@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("path", FIELD_FILES, ids=lambda path: path.name)
async def test_every_photo_of_the_field_ends_as_its_table_says(
    gateway: GatewayClient, store: ContainerClient, path: Path
) -> None:
    point = {"x": 0.5, "y": 0.62, "label": 1}
    photo = await asyncio.to_thread(path.read_bytes)
    workflow_id = await gateway.start(start_body(photo, [point]))
    result = await gateway.pictures(workflow_id)
    size, wall, tolerance = SHOWN.get(path.name, (SMALL, None, 0))
    with Image.open(BytesIO(base64.b64decode(result["fluxResultBase64"]))) as image:
        assert image.size == size
        assert wall is None or image.convert("RGB").getpixel((20, 20)) == pytest.approx(wall, abs=tolerance)
    stored = await everything_stored(store, workflow_id)
    assert b"Exif" not in stored
    assert b"xap/1.0" not in stored


@pytest.mark.long("every kind of photo through a stack of its own")
@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", BAD)
async def test_every_bad_photo_is_refused_or_fails_with_its_own_code(gateway: GatewayClient, name: str) -> None:
    with pytest.raises((RefusedError, FailedError)) as error:
        await gateway.try_on(start_body(BAD[name](), POINTS))
    assert str(error.value).startswith(("INVALID_IMAGE", "INVALID_REQUEST: originalImageBase64"))
    assert len(str(error.value).splitlines()) == 1


def test_a_turned_or_colourless_picture_would_be_noticed() -> None:
    upright = expected(GOOD["PNG"]())
    assert difference(upright.transpose(Image.Transpose.ROTATE_180), upright) > 8
    assert difference(upright.convert("L").convert("RGB"), upright) > 8
    assert difference(ImageOps.invert(upright), upright) > 8
