"""The photos that scenarios post, drawn: small unless the photo is the subject, once, the same every time."""

import base64
from collections.abc import Callable, Mapping
from functools import cache, partial
from io import BytesIO
from typing import Any

from PIL import Image

from fakes.pictures import portrait
from scenarios.gateway_client import start_body
from scenarios.photos import PHOTOS, SIZE
from scenarios.scenario import Scenario
from scenarios.stories.encodings import HELD, hole, in_linear_light, see_through, turned

NEAR, FAR = 1.0, 0.6
"""How close the camera is: near, the person fills the picture and the background stays; far, it is removed."""
SIDEWAYS = 6
"""EXIF orientation: the camera was held sideways, show it turned by 90 degrees."""


def _portrait(zoom: float, size: tuple[int, int] = SIZE) -> bytes:
    return portrait(*size, seed=1, zoom=zoom)


def _again(image_format: str, mode: str = "RGB", *, zoom: float = NEAR, **options: object) -> bytes:
    """Save the near portrait once more, in another format or mode."""
    with Image.open(BytesIO(_portrait(zoom))) as image:
        made = _sixteen_bits(image) if mode == "I;16" else image.convert(mode)
        out = BytesIO()
        made.save(out, image_format, **options)
    return out.getvalue()


def _sixteen_bits(image: Image.Image) -> Image.Image:
    return image.convert("L").convert("I").point(lambda value: value * 257).convert("I;16")


def _near() -> Image.Image:
    with Image.open(BytesIO(_portrait(NEAR))) as image:
        return image.convert("RGB")


def _turned(orientation: int) -> bytes:
    return turned(_near(), orientation)


def _half(whole: bytes) -> bytes:
    return whole[: len(whole) // 2]


def _with_a_place() -> bytes:
    """A phone's notes before the picture, which say where it was taken, and a video behind it."""
    exif = Image.Exif()
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 0.0)
    return _again("JPEG", quality=92, exif=exif) + b"\0\0\0\x18ftypmp42" + bytes(10_000)


def _one_pixel() -> bytes:
    out = BytesIO()
    Image.new("RGB", (1, 1)).save(out, "PNG")
    return out.getvalue()


DRAWN: Mapping[str, Callable[[], bytes]] = {
    "near": lambda: _portrait(NEAR),
    "far": lambda: _portrait(FAR),
    "large": lambda: _portrait(NEAR, (1536, 2048)),
    "twelve-megapixels": lambda: _portrait(NEAR, (3000, 4000)),
    "sideways": lambda: turned(_near(), SIDEWAYS),
    **{f"turned-{orientation}": partial(_turned, orientation) for orientation in HELD if orientation != SIDEWAYS},
    "progressive": lambda: _again("JPEG", progressive=True, quality=92),
    "grey": lambda: _again("JPEG", "L", quality=92),
    "cmyk": lambda: _again("JPEG", "CMYK", quality=92),
    "png": lambda: _again("PNG"),
    "png-alpha": lambda: _again("PNG", "RGBA"),
    "png-palette": lambda: _again("PNG", "P"),
    "png-grey-16": lambda: _again("PNG", "I;16"),
    "see-through": lambda: see_through(_near(), "RGBA"),
    "see-through-palette": lambda: see_through(_near(), "P"),
    "see-through-grey": lambda: see_through(_near(), "L"),
    "cicp": lambda: in_linear_light(_near(), b"cICP"),
    "cicp-over-a-profile": lambda: in_linear_light(_near(), b"cICP", profile=True),
    "gamma": lambda: in_linear_light(_near(), b"gAMA"),
    "no-end": lambda: _portrait(NEAR)[:-2],
    "with-a-place": _with_a_place,
    "half": lambda: _half(_portrait(NEAR)),
    "half-progressive": lambda: _half(_again("JPEG", progressive=True, quality=92)),
    "text": lambda: b"this is not a picture",
    "empty": lambda: b"",
    "one-pixel": _one_pixel,
    "gif": lambda: _again("GIF", "P"),
}
"""How each photo is made; what is known of it is in `scenarios.photos`."""


@cache
def shown(name: str) -> Image.Image:
    """Return what a browser shows of a photo that is one, as it was before it became a file."""
    with Image.open(BytesIO(_portrait(FAR if PHOTOS[name].far else NEAR))) as image:
        picture = image.convert("RGB")
    if "grey" in name:
        picture = picture.convert("L").convert("RGB")
    if name.startswith("see-through"):
        picture.paste((255, 255, 255), hole(picture))
    return picture


@cache
def another_photo() -> str:
    """Return a photo that no story posts, of a shape of its own, in base64."""
    data = BytesIO()
    Image.new("RGB", (96, 64), "teal").save(data, "JPEG")
    return base64.b64encode(data.getvalue()).decode()


@cache
def photo_bytes(name: str) -> bytes:
    """Return a photo as the user's camera would have written it.

    Raises:
        KeyError: there is no photo of that name.
    """
    return DRAWN[name]()


def request_body(scenario: Scenario) -> dict[str, Any]:
    """Return the body of a scenario's start, as a frontend would send it."""
    photo = photo_bytes(scenario.photo)
    return start_body(photo, scenario.mask_points(), scenario.strokes) | dict(scenario.body)
