"""Opening what a caller sent, in any mode, and writing what a service answers."""

import io
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

MAX_PIXELS: Final = 64_500_000
"""Pictures above this are refused before they are decoded. The gateway lets as many pass."""

Grey = NDArray[np.uint8]
"""A picture of one channel as rows of bytes."""
Flags = NDArray[np.bool_]
"""A region: True where a pixel belongs to it."""
Field = NDArray[np.floating[Any]]
"""One real number for each pixel."""


class PictureError(ValueError):
    """The bytes are not a picture that this service can work with. The message says what is wrong."""


def open_picture(data: bytes) -> Image.Image:
    """Open a JPEG or PNG without decoding it. Raises PictureError."""
    if not data:
        raise PictureError("the picture is empty (0 bytes)")
    try:
        image = Image.open(io.BytesIO(data), formats=("JPEG", "PNG"))
    except Image.DecompressionBombError as error:
        raise PictureError(f"the picture is too large: at most {MAX_PIXELS} pixels are accepted") from error
    except (OSError, SyntaxError, ValueError) as error:
        raise PictureError(f"neither JPEG nor PNG ({len(data)} bytes)") from error
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise PictureError(f"the picture is too large: {width}x{height}; at most {MAX_PIXELS} pixels are accepted")
    return image


def decode(image: Image.Image) -> Image.Image:
    """Decode an opened picture completely. Raises PictureError when part of it is missing or broken."""
    try:
        image.load()
    except (OSError, SyntaxError, ValueError, IndexError) as error:
        raise PictureError(f"the picture of {image.width}x{image.height} cannot be decoded: {error}") from error
    return image


def as_rgb(image: Image.Image, backdrop: str = "white") -> Image.Image:
    """A decoded picture of any mode as RGB, transparent parts laid over `backdrop`."""
    if image.mode == "RGB":
        return image
    if image.mode.startswith("I"):
        return _eight_bits(image).convert("RGB")
    if _has_alpha(image):
        rgba = image.convert("RGBA")
        under = Image.new("RGBA", image.size, backdrop)
        return Image.alpha_composite(under, rgba).convert("RGB")
    return image.convert("RGB")


def alpha_of(image: Image.Image) -> Image.Image | None:
    """The alpha channel of a decoded picture as L, or None when every pixel is opaque."""
    if not _has_alpha(image):
        return None
    alpha = image.convert("RGBA").getchannel("A")
    low, _ = alpha.getextrema()
    return None if low == 255 else alpha


def read_rgb(data: bytes) -> Image.Image:
    """Open, decode and convert to RGB. Raises PictureError."""
    return as_rgb(decode(open_picture(data)))


def read_mask(data: bytes) -> Image.Image:
    """Open a mask of any mode as L: 255 is foreground, and what is transparent is not. Raises PictureError."""
    image = decode(open_picture(data))
    return image if image.mode == "L" else as_rgb(image, backdrop="black").convert("L")


def to_jpeg(image: Image.Image, quality: int = 90, *, sharp_colours: bool = False) -> bytes:
    """Encode as JPEG. Sharp colours keep thin coloured lines, at the price of a larger file."""
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality, subsampling=0 if sharp_colours else 2)
    return out.getvalue()


def to_png(image: Image.Image) -> bytes:
    """Encode as PNG, quickly rather than small."""
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=1)
    return out.getvalue()


def fit(size: tuple[int, int], longest: int) -> tuple[int, int]:
    """The size that keeps the ratio of `size` within `longest` a side. Never larger than `size`."""
    scale = min(1.0, longest / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _has_alpha(image: Image.Image) -> bool:
    return image.mode in {"LA", "La", "PA", "RGBA", "RGBa"} or "transparency" in image.info


def _eight_bits(image: Image.Image) -> Image.Image:
    values = np.asarray(image, dtype=np.uint32) >> 8
    return Image.fromarray(np.minimum(values, 255).astype(np.uint8))
