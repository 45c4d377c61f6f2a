"""Unusual files of which a browser shows the same portrait: turned, mirrored, see-through, in other numbers."""

from io import BytesIO

from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

ORIENTATION = 0x0112
HELD = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""EXIF's orientations, and how the pixels of an upright picture lie in such a file."""
LINEAR = {b"cICP": bytes([1, 8, 0, 1]), b"gAMA": (100_000).to_bytes(4)}
"""How a PNG says that its numbers are light itself: by H.273's primaries of sRGB and linear curve, or a gamma of 1."""
HIDDEN = 7
"""A grey that is seen through."""


def turned(upright: Image.Image, orientation: int) -> bytes:
    """Return a JPEG of a camera that was held otherwise."""
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    out = BytesIO()
    upright.transpose(HELD[orientation]).save(out, "JPEG", quality=92, exif=exif)
    return out.getvalue()


def in_linear_light(picture: Image.Image, chunk: bytes, *, profile: bool = False) -> bytes:
    """Return a PNG whose numbers are light, as that chunk says; a `profile` contradicts it, and counts less."""
    chunks = PngInfo()
    chunks.add(chunk, LINEAR[chunk])
    more = {"icc_profile": ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()} if profile else {}
    out = BytesIO()
    picture.point([round(255 * _light(value / 255)) for value in range(256)] * 3).save(
        out, "PNG", pnginfo=chunks, **more
    )
    return out.getvalue()


def _light(encoded: float) -> float:
    """Return the light that a number of sRGB stands for."""
    return encoded / 12.92 if encoded <= 0.04045 else ((encoded + 0.055) / 1.055) ** 2.4


def see_through(picture: Image.Image, mode: str) -> bytes:
    """Return a PNG of mode RGBA, P or L that is seen through at its `hole`; what is hidden there is dark."""
    out = BytesIO()
    empty = Image.new("1", picture.size)
    empty.paste(1, hole(picture))
    if mode == "RGBA":
        made = picture.convert("RGBA")
        made.paste((0, 0, 0, 0), mask=empty)
        made.save(out, "PNG")
    elif mode == "P":
        made = picture.quantize(255)
        made.paste(255, mask=empty)
        made.putpalette([*(made.getpalette() or [])[: 3 * 255], 0, 0, 0])
        made.save(out, "PNG", transparency=255)
    else:
        made = picture.convert("L").point(lambda value: value + 1 if value == HIDDEN else value)
        made.paste(HIDDEN, mask=empty)
        made.save(out, "PNG", transparency=HIDDEN)
    return out.getvalue()


def hole(picture: Image.Image) -> tuple[int, int, int, int]:
    """Return the corner where nobody stands: left, top, right and bottom."""
    return 0, 0, picture.width // 4, picture.height // 3
