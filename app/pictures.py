"""All picture work of production: what is accepted as a picture, and the upright RGB JPEG that is made of it."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageChops, ImageOps

from app.errors import InvalidImageError

MAX_PICTURE_BYTES = 48 * 1024 * 1024
"""The largest picture that is taken from anybody, and read from Blob Storage."""

MIN_SIDE = 32
MAX_PIXELS = 50_000_000
MAX_SIDE = 65_500
"""JPEG cannot hold a longer side."""

JPEG_QUALITY = 95
PHOTO_FORMATS = frozenset({"JPEG", "PNG"})

_ORIENTATION = 0x0112
_BROKEN = "The picture is broken or incomplete: it cannot be decoded to its end. Export or upload it again"


@dataclass(frozen=True)
class PictureInfo:
    """A picture's format (`JPEG` or `PNG`), stored width and height in pixels, and Pillow mode."""

    format: str
    width: int
    height: int
    mode: str


@dataclass(frozen=True)
class Upright:
    """An upright RGB JPEG and its size in pixels."""

    data: bytes
    width: int
    height: int


def inspect(data: bytes, formats: Collection[str] = PHOTO_FORMATS) -> PictureInfo:
    """Check format and size by the header alone, which costs microseconds.

    Raises:
        InvalidImageError: not a picture, another format, over 48 MiB, or outside 32 pixels a side to 50 megapixels.
    """
    return _info(_open(data, formats))


def check_picture(data: bytes, formats: Collection[str]) -> PictureInfo:
    """Check the header, then decode all of the picture; a JPEG is decoded at an eighth of its size.

    Raises:
        InvalidImageError: as `inspect`, or the picture does not decode to its end.
    """
    image = _open(data, formats)
    info = _info(image)
    with _decoding():
        _load_small(image)
    return info


def upright_jpeg(data: bytes) -> Upright:
    """Decode all of a photo and return it as an upright 8-bit RGB JPEG; one that is that already keeps its bytes.

    EXIF rotation is applied, transparency is flattened on white, and an RGB picture keeps its colour profile.

    Raises:
        InvalidImageError: as `check_picture`.
    """
    image = _open(data, PHOTO_FORMATS)
    with _decoding():
        if image.format == "JPEG" and image.mode == "RGB" and _orientation(image) == 1:
            width, height = image.size
            _load_small(image)
            return Upright(data, width, height)
        image.load()
        profile = image.info.get("icc_profile") if image.mode in {"RGB", "RGBA"} else None
        rgb = _rgb(_rotated(image))
        out = BytesIO()
        rgb.save(out, "JPEG", quality=JPEG_QUALITY, icc_profile=profile)
    return Upright(out.getvalue(), rgb.width, rgb.height)


def _open(data: bytes, formats: Collection[str]) -> Image.Image:
    wanted = " or ".join(sorted(formats))
    if not data:
        raise InvalidImageError(f"The picture is empty: send a {wanted} file")
    if len(data) > MAX_PICTURE_BYTES:
        size, most = len(data) / 1024**2, MAX_PICTURE_BYTES // 1024**2
        raise InvalidImageError(f"The picture has {size:.0f} MiB; at most {most} MiB are taken")
    try:
        image = Image.open(BytesIO(data), formats=tuple(formats))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as bomb:
        raise InvalidImageError(f"The picture has more than {MAX_PIXELS // 1_000_000} megapixels") from bomb
    except Exception as broken:  # Pillow's parsers raise whatever a strange file makes them raise
        raise InvalidImageError(f"The picture is not a {wanted} file{_guess(data)}") from broken
    width, height = image.size
    if min(width, height) < MIN_SIDE:
        raise InvalidImageError(f"The picture is {width} x {height} pixels; each side needs at least {MIN_SIDE}")
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise InvalidImageError(
            f"The picture is {width} x {height} pixels; at most {MAX_PIXELS // 1_000_000} megapixels and "
            f"{MAX_SIDE} pixels a side are taken"
        )
    return image


def _info(image: Image.Image) -> PictureInfo:
    # A JPEG with further pictures inside (a phone's depth or HDR data) has a format name of its own in Pillow.
    name = "JPEG" if image.format == "MPO" else str(image.format)
    return PictureInfo(name, image.width, image.height, image.mode)


@contextmanager
def _decoding() -> Iterator[None]:
    try:
        yield
    except Exception as broken:  # Pillow's decoders raise whatever a strange file makes them raise
        raise InvalidImageError(_BROKEN) from broken


def _load_small(image: Image.Image) -> None:
    """Decode to the end; a JPEG at an eighth of its size, which reads all of the file in a 64th of the memory."""
    image.draft(None, (max(1, image.width // 8), max(1, image.height // 8)))
    image.load()


def _orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # noqa: BLE001 - broken EXIF is no reason to refuse a photo: it is shown as stored, as browsers do
        return 1
    return value if value in range(1, 9) else 1


def _rotated(image: Image.Image) -> Image.Image:
    return image if _orientation(image) == 1 else ImageOps.exif_transpose(image)


def _rgb(image: Image.Image) -> Image.Image:
    """Convert any mode that JPEG and PNG have to 8-bit RGB."""
    if image.mode.startswith("I"):  # 16-bit grey: a plain conversion would clip it to white
        image = image.convert("I").point(lambda value: value / 257).convert("L")
    if image.mode == "CMYK" and "adobe" not in image.info:
        image = ImageChops.invert(image)  # Pillow takes every CMYK JPEG for one that Adobe wrote inverted
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGB", image.size, "white")
        white.paste(image, mask=image.getchannel("A"))
        return white
    return image.convert("RGB")


def _guess(data: bytes) -> str:
    """Name what the file seems to be, where a person can do something about it."""
    for marks, name in (
        ((b"GIF8",), "a GIF"),
        ((b"RIFF",), "a WebP"),
        ((b"BM",), "a BMP"),
        ((b"II*\0", b"MM\0*"), "a TIFF"),
        ((b"%PDF",), "a PDF"),
        ((b"<svg", b"<?xml"), "an SVG"),
        ((b"<",), "an HTML page"),
    ):
        if data.startswith(marks):
            return f": it looks like {name}"
    return ": it looks like a HEIC or AVIF" if data[4:8] == b"ftyp" else ""
