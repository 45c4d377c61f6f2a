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
from PIL import Image, ImageOps

from fakes.pictures.portrait import necklace_points, portrait
from scenarios.gateway_client import FailedError, GatewayClient, RefusedError, start_body
from scenarios.stack.programs import Options
from scenarios.stack.stack import Stack

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
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[GatewayClient]:
    async with (
        Stack(home=tmp_path_factory.mktemp("stack"), options=Options(profile="instant", temporal_ui=False)) as stack,
        GatewayClient(stack.urls["gateway"]) as client,
    ):
        yield client


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
