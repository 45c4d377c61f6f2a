"""A user's photo: what is accepted, and the upright RGB JPEG in sRGB that is made of it."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BytesIO

from PIL import Image, ImageChops

from app.errors.request import InvalidImageError
from app.pictures.colours import Profile, profile_for
from app.pictures.picture_file import CutOffError, PictureFile, StructureError
from app.pictures.strip import open_image, strip

MAX_PICTURE_BYTES = 48 * 1024 * 1024
"""The largest picture that is taken from anybody, and read from Blob Storage."""

MIN_SIDE = 32
MAX_PIXELS = 64_500_000
"""64 megapixels, as phones count them: 9248 x 6936."""

MAX_SIDE = 65_500
"""JPEG cannot hold a longer side."""

JPEG_QUALITY = 95
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What each value of EXIF's orientation asks for; 1 asks for nothing."""

_BROKEN = "The picture is broken or incomplete: it cannot be decoded to its end. Export or upload it again"
_SAVE_AGAIN = "Open it in a program for pictures and save it again"


@dataclass(frozen=True)
class Upright:
    """An upright RGB JPEG and its size in pixels."""

    data: bytes
    width: int
    height: int


def accept(data: bytes) -> PictureFile:
    """Check a photo's format, size and structure without decoding it, and leave out what does not show.

    Raises:
        InvalidImageError: not a JPEG or PNG, over 48 MiB, outside 32 pixels a side to 64 megapixels, cut off for sure,
            or too intricate.
    """
    if not data:
        raise InvalidImageError("The picture is empty: send a JPEG or PNG file")
    if len(data) > MAX_PICTURE_BYTES:
        size, most = len(data) / 1024**2, MAX_PICTURE_BYTES // 1024**2
        raise InvalidImageError(f"The picture has {size:.0f} MiB; at most {most} MiB are taken")
    try:
        photo = strip(data)
        _check_size(photo)
        open_image(photo)
    except CutOffError as cut:
        raise InvalidImageError(f"The picture {cut}: a part of it is missing. Export or upload it again") from cut
    except StructureError as wrong:
        raise InvalidImageError(f"The picture {wrong}{_guess(data) or '. ' + _SAVE_AGAIN}") from wrong
    return photo


def upright_jpeg(photo: PictureFile) -> Upright:
    """Decode all of a photo and return it as an upright 8-bit RGB JPEG in sRGB; one that is that keeps its bytes.

    EXIF's rotation is applied, a profile is honoured, and transparency is flattened on white. It takes up to 8 bytes a
    pixel while it turns and converts, and 10 for a progressive JPEG without chroma subsampling.

    Raises:
        InvalidImageError: the picture does not decode to its end.
    """
    with _decoding():
        image: Image.Image = open_image(photo)
        profile = profile_for(image, photo.data)
        turn = _TURNS.get(photo.orientation)
        if image.format == "JPEG" and image.mode == "RGB" and turn is None and profile is None and photo.ended:
            # At an eighth of its size: that reads all of the file in a 64th of the memory.
            image.draft(None, (max(1, photo.width // 8), max(1, photo.height // 8)))
            image.load()
            return Upright(photo.data, photo.width, photo.height)
        if photo.ended:
            image.load()
        else:
            image = _load_unended(photo)
        _scale_key(image)
        if turn is not None:
            image = image.transpose(turn)
        # Each step gives up what it was given: of 64 megapixels a third copy would be 260 MB.
        for step in _steps_to_rgb(image, profile):
            image = step(image)
        out = BytesIO()
        image.save(out, "JPEG", quality=JPEG_QUALITY)
    return Upright(out.getvalue(), image.width, image.height)


def _load_unended(photo: PictureFile) -> Image.Image:
    """Decode a JPEG that does not say where it ends, if all of its picture is there.

    A decoder does not tell: it fills with grey what is missing. But what comes behind a whole picture changes nothing
    in it, and what comes behind half of one is taken for the other half.
    """
    digests = set()
    for noise in _NOISES:
        image = open_image(replace(photo, data=photo.data + noise + _END_OF_JPEG))
        image.load()
        digests.add(_digest(image))
    if len(digests) > 1:
        raise ValueError("half of a picture")
    return image


def _noise(seed: bytes) -> bytes:
    """Return what might be a JPEG's data: without a break, and then after each of the eight restarts."""
    noise = hashlib.shake_128(seed).digest(2048).replace(b"\xff", b"\x55")
    return noise[:1024] + b"".join(bytes([0xFF, 0xD0 + each]) + noise[128 * each :][:128] for each in range(8))


_NOISES = _noise(b"one"), _noise(b"other")
_END_OF_JPEG = b"\xff\xd9"


def _digest(image: Image.Image) -> bytes:
    """Digest all pixels, some rows at a time."""
    digest = hashlib.sha256()
    for top in range(0, image.height, 64):
        digest.update(image.crop((0, top, image.width, min(top + 64, image.height))).tobytes())
    return digest.digest()


def _check_size(photo: PictureFile) -> None:
    width, height = photo.width, photo.height
    if min(width, height) < MIN_SIDE:
        raise InvalidImageError(f"The picture is {width} x {height} pixels; each side needs at least {MIN_SIDE}")
    if photo.pixels > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise InvalidImageError(
            f"The picture is {width} x {height} pixels; at most {MAX_PIXELS // 1_000_000} megapixels and "
            f"{MAX_SIDE} pixels a side are taken"
        )


@contextmanager
def _decoding() -> Iterator[None]:
    try:
        yield
    except Exception as broken:  # Pillow's decoders raise whatever a strange file makes them raise
        raise InvalidImageError(_BROKEN) from broken


def _steps_to_rgb(image: Image.Image, profile: Profile | None) -> list[Callable[[Image.Image], Image.Image]]:
    """Say how any mode that JPEG and PNG have becomes 8-bit sRGB: step by step, each of what the one before made."""
    mode, clear = image.mode, image.has_transparency_data
    steps: list[Callable[[Image.Image], Image.Image]] = []
    if mode.startswith("I"):  # 16-bit grey: a plain conversion would clip it to white
        steps += [lambda grey: grey.convert("I"), lambda grey: grey.point(lambda value: value / 257)]
        steps += [lambda grey: grey.convert("L")]
    if mode == "CMYK" and "adobe" not in image.info:
        steps += [ImageChops.invert]  # Pillow takes every CMYK JPEG for one that Adobe wrote inverted
    if profile and profile.is_for_grey:
        steps += [lambda grey: _grey_to_srgb(grey, profile)]
    elif profile and mode == "CMYK":
        steps += [profile.to_srgb]
    else:
        wanted = "RGBA" if clear else "RGB"
        steps += [] if mode == wanted else [lambda other: other.convert(wanted)]
        steps += [profile.to_srgb] if profile else []
    return [*steps, _on_white, lambda flat: flat.convert("RGB")] if clear else steps


def _scale_key(image: Image.Image) -> None:
    """Let the one colour that is transparent in a PNG of 16 bits be one of 8, as its pixels are."""
    key = image.info.get("transparency")
    if image.mode.startswith("I") and key is not None:
        image.info["transparency"] = key // 257
    elif isinstance(key, tuple) and max(key) > 255:
        image.info["transparency"] = tuple(value >> 8 for value in key)


def _grey_to_srgb(image: Image.Image, profile: Profile) -> Image.Image:
    """Apply a profile for grey; what is transparent stays so."""
    shades = profile.to_srgb(image.convert("L"))
    if image.has_transparency_data:
        shades.putalpha(image.convert("RGBA").getchannel("A"))
    return shades


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
