"""The photos that scenarios post: small unless the photo is the subject, drawn once, the same every time."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from io import BytesIO

from PIL import Image

from fakes.pictures import necklace_points, portrait

SIZE = (120, 160)
NEAR, FAR = 1.0, 0.6
"""How close the camera is: near, the person fills the picture and the background stays; far, it is removed."""
SIDEWAYS = 6
"""EXIF orientation: the camera was held sideways, show it turned by 90 degrees."""
ORIENTATION = 0x0112


@dataclass(frozen=True)
class Photo:
    """A photo by name: how it is made, its size once upright, and whether its background is worth removing."""

    name: str
    make: Callable[[], bytes]
    size: tuple[int, int] = SIZE
    far: bool = False


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


def _sideways() -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION] = SIDEWAYS
    with Image.open(BytesIO(_portrait(NEAR))) as upright:
        turned = upright.transpose(Image.Transpose.ROTATE_90)
        out = BytesIO()
        turned.save(out, "JPEG", quality=92, exif=exif)
    return out.getvalue()


def _half() -> bytes:
    whole = _portrait(NEAR)
    return whole[: len(whole) // 2]


def _one_pixel() -> bytes:
    out = BytesIO()
    Image.new("RGB", (1, 1)).save(out, "PNG")
    return out.getvalue()


PHOTOS = {
    photo.name: photo
    for photo in (
        Photo("near", lambda: _portrait(NEAR)),
        Photo("far", lambda: _portrait(FAR), far=True),
        Photo("large", lambda: _portrait(NEAR, (1536, 2048)), size=(1152, 1536)),
        Photo("twelve-megapixels", lambda: _portrait(NEAR, (3000, 4000)), size=(1152, 1536)),
        Photo("sideways", _sideways),
        Photo("progressive", lambda: _again("JPEG", progressive=True, quality=92)),
        Photo("grey", lambda: _again("JPEG", "L", quality=92)),
        Photo("cmyk", lambda: _again("JPEG", "CMYK", quality=92)),
        Photo("png", lambda: _again("PNG")),
        Photo("png-alpha", lambda: _again("PNG", "RGBA")),
        Photo("png-palette", lambda: _again("PNG", "P")),
        Photo("png-grey-16", lambda: _again("PNG", "I;16")),
        Photo("half", _half),
        Photo("text", lambda: b"this is not a picture"),
        Photo("empty", lambda: b""),
        Photo("one-pixel", _one_pixel),
        Photo("gif", lambda: _again("GIF", "P")),
    )
}


@cache
def photo_bytes(name: str) -> bytes:
    """Return a photo as the user's camera would have written it.

    Raises:
        KeyError: there is no photo of that name.
    """
    return PHOTOS[name].make()


def point_on_neck(name: str) -> tuple[float, float]:
    """Return a foreground point, normalised to 0-1, where a necklace hangs in that photo."""
    zoom = FAR if PHOTOS[name].far else NEAR
    return necklace_points(*SIZE, zoom=zoom)[2]
