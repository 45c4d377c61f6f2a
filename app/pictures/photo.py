"""All picture work of production: what is accepted as a picture, and the upright RGB JPEG that is made of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageChops

from app.errors.request import InvalidImageError
from app.pictures.limits import excess

MAX_PICTURE_BYTES = 48 * 1024 * 1024
"""The largest picture that is taken from anybody, and read from Blob Storage."""

MIN_SIDE = 32
MAX_PIXELS = 50_000_000
MAX_SIDE = 65_500
"""JPEG cannot hold a longer side."""

JPEG_QUALITY = 95
_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What each value of EXIF's orientation asks for; 1, and whatever else is found there, asks for nothing."""

_BROKEN = "The picture is broken or incomplete: it cannot be decoded to its end. Export or upload it again"


@dataclass(frozen=True)
class PictureInfo:
    """A picture's format (`JPEG` or `PNG`), and its width and height as stored, in pixels."""

    format: str
    width: int
    height: int

    @property
    def pixels(self) -> int:
        """How many there are."""
        return self.width * self.height


@dataclass(frozen=True)
class Upright:
    """An upright RGB JPEG and its size in pixels."""

    data: bytes
    width: int
    height: int


def inspect(data: bytes) -> PictureInfo:
    """Check format, size and structure without decoding, which costs microseconds.

    Raises:
        InvalidImageError: not a picture, another format, over 48 MiB, outside 32 pixels a side to 50 megapixels, or too
            intricate.
    """
    image = _open(data)
    # A JPEG with further pictures inside (a phone's depth or HDR data) has a format name of its own in Pillow.
    name = "JPEG" if image.format == "MPO" else str(image.format)
    return PictureInfo(name, image.width, image.height)


def count_pixels(data: bytes) -> int:
    """Return how many pixels a file claims to have; 0 when it would be refused before it is decoded."""
    try:
        info = inspect(data)
    except InvalidImageError:
        return 0
    return info.pixels


def upright_jpeg(data: bytes) -> Upright:
    """Decode all of a photo and return it as an upright 8-bit RGB JPEG; one that is that already keeps its bytes.

    EXIF rotation is applied, transparency is flattened on white, and an RGB picture keeps its colour profile. It takes
    up to 8 bytes a pixel while it turns and converts, and 10 for a progressive JPEG without chroma subsampling.

    Raises:
        InvalidImageError: as `inspect`, or the picture does not decode to its end.
    """
    image: Image.Image = _open(data)
    with _decoding():
        turn = _TURNS.get(_orientation(image))
        if image.format == "JPEG" and image.mode == "RGB" and turn is None:
            width, height = image.size
            # At an eighth of its size: that reads all of the file in a 64th of the memory.
            image.draft(None, (max(1, width // 8), max(1, height // 8)))
            image.load()
            return Upright(data, width, height)
        image.load()
        profile = image.info.get("icc_profile") if image.mode in {"RGB", "RGBA"} else None
        if turn is not None:
            image = image.transpose(turn)
        # Each step gives up what it was given: of 48 megapixels a third copy would be 190 MB.
        for step in _steps_to_rgb(image):
            image = step(image)
        out = BytesIO()
        image.save(out, "JPEG", quality=JPEG_QUALITY, icc_profile=profile)
    return Upright(out.getvalue(), image.width, image.height)


def _open(data: bytes) -> Image.Image:
    if not data:
        raise InvalidImageError("The picture is empty: send a JPEG or PNG file")
    if len(data) > MAX_PICTURE_BYTES:
        size, most = len(data) / 1024**2, MAX_PICTURE_BYTES // 1024**2
        raise InvalidImageError(f"The picture has {size:.0f} MiB; at most {most} MiB are taken")
    if too_much := excess(data):
        raise InvalidImageError(f"The picture has {too_much}. Open it in a program for pictures and save it again")
    try:
        image = Image.open(BytesIO(data), formats=("JPEG", "PNG"))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as bomb:
        raise InvalidImageError(f"The picture has more than {MAX_PIXELS // 1_000_000} megapixels") from bomb
    except Exception as broken:  # Pillow's parsers raise whatever a strange file makes them raise
        raise InvalidImageError(f"The picture is not a JPEG or PNG file{_guess(data)}") from broken
    width, height = image.size
    if min(width, height) < MIN_SIDE:
        raise InvalidImageError(f"The picture is {width} x {height} pixels; each side needs at least {MIN_SIDE}")
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise InvalidImageError(
            f"The picture is {width} x {height} pixels; at most {MAX_PIXELS // 1_000_000} megapixels and "
            f"{MAX_SIDE} pixels a side are taken"
        )
    return image


@contextmanager
def _decoding() -> Iterator[None]:
    try:
        yield
    except Exception as broken:  # Pillow's decoders raise whatever a strange file makes them raise
        raise InvalidImageError(_BROKEN) from broken


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # noqa: BLE001 - broken EXIF is no reason to refuse a photo: it is shown as stored, as browsers do
        return 1


def _steps_to_rgb(image: Image.Image) -> list[Callable[[Image.Image], Image.Image]]:
    """Say how any mode that JPEG and PNG have becomes 8-bit RGB: step by step, each of what the one before made."""
    mode = image.mode
    steps: list[Callable[[Image.Image], Image.Image]] = []
    if mode.startswith("I"):  # 16-bit grey: a plain conversion would clip it to white
        steps += [lambda grey: grey.convert("I"), lambda grey: grey.point(lambda value: value / 257)]
        steps += [lambda grey: grey.convert("L")]
    if mode == "CMYK" and "adobe" not in image.info:
        steps += [ImageChops.invert]  # Pillow takes every CMYK JPEG for one that Adobe wrote inverted
    if image.has_transparency_data:
        steps += [_on_white] if mode == "RGBA" else [lambda clear: clear.convert("RGBA"), _on_white]
        mode = "RGBA"
    return steps if mode == "RGB" else [*steps, lambda other: other.convert("RGB")]


def _on_white(image: Image.Image) -> Image.Image:
    """Paint white over what is transparent, in place: its alpha means nothing then."""
    image.paste("white", mask=ImageChops.invert(image.getchannel("A")))
    return image


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
