"""The photos that scenarios post, drawn: small unless the photo is the subject, once, the same every time."""

import base64
from collections.abc import Callable, Mapping
from functools import cache, partial
from io import BytesIO
from typing import Any

from PIL import Image

from fakes.pictures import portrait
from scenarios.gateway_client import start_body
from scenarios.photos import ENCODINGS, SIZE, Encoding
from scenarios.scenario import Scenario
from scenarios.stories.encodings import encoded, hole

NEAR, FAR = 1.0, 0.6
"""How close the camera is: near, the person fills the picture and the background stays; far, it is removed."""


def _portrait(zoom: float, size: tuple[int, int] = SIZE) -> bytes:
    return portrait(*size, seed=1, zoom=zoom)


def _again(image_format: str, mode: str = "RGB", *, zoom: float = NEAR, **options: object) -> bytes:
    """Save the near portrait once more, in another format or mode."""
    with Image.open(BytesIO(_portrait(zoom))) as image:
        out = BytesIO()
        image.convert(mode).save(out, image_format, **options)
    return out.getvalue()


@cache
def _near() -> Image.Image:
    with Image.open(BytesIO(_portrait(NEAR))) as image:
        return image.convert("RGB")


def _encoded(encoding: Encoding) -> bytes:
    return encoded(_near(), encoding)


SHORT: Mapping[str, Encoding] = {
    "sideways": Encoding("jpeg-rgb", orientation=6),
    **{f"turned-{orientation}": Encoding("jpeg-rgb", orientation=orientation) for orientation in (2, 3, 4, 5, 7, 8)},
    "progressive": Encoding("jpeg-rgb", progressive=True),
    "grey": Encoding("jpeg-grey"),
    "cmyk": Encoding("jpeg-cmyk"),
    "png": Encoding("png-rgb"),
    "png-alpha": Encoding("png-rgba"),
    "see-through": Encoding("png-see-through"),
    "see-through-palette": Encoding("png-see-through-palette"),
    "see-through-grey": Encoding("png-see-through-grey"),
    "cicp": Encoding("png-rgb", "cicp"),
    "cicp-over-a-profile": Encoding("png-rgb", "cicp-profile"),
    "gamma": Encoding("png-rgb", "gamma"),
    "no-end": Encoding("jpeg-rgb", ended=False),
    "with-a-place": Encoding("jpeg-rgb", said="noted"),
}
"""Photos that have a name of their own for what is unusual of them."""


SHAPES = {"narrow": (3200, 40), "least": (32, 32)}
"""Photos of another shape, and their pixels."""


def _half(whole: bytes) -> bytes:
    return whole[: len(whole) // 2]


def _one_pixel() -> bytes:
    out = BytesIO()
    Image.new("RGB", (1, 1)).save(out, "PNG")
    return out.getvalue()


DRAWN: Mapping[str, Callable[[], bytes]] = {
    "near": lambda: _portrait(NEAR),
    "far": lambda: _portrait(FAR),
    "large": lambda: _portrait(NEAR, (1536, 2048)),
    **{name: partial(_portrait, NEAR, size) for name, size in SHAPES.items()},
    "twelve-megapixels": lambda: _portrait(NEAR, (3000, 4000)),
    **{name: partial(_encoded, encoding) for name, encoding in {**ENCODINGS, **SHORT}.items()},
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
    with Image.open(BytesIO(_portrait(FAR if name == "far" else NEAR, SHAPES.get(name, SIZE)))) as image:
        picture = image.convert("RGB")
    if "grey" in name:
        picture = picture.convert("L").convert("RGB")
    if "see-through" in name:
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
