"""Are the pictures that services claim to have made what they should be? Synchronous: run them in a thread.

What cannot be noticed here is written down with the fakes' faults in docs/fakes.md: a picture of the right size and
format that shows something else.
"""

from hashlib import sha256
from io import BytesIO

from PIL import Image

from app.pictures.limits import excess
from app.pipeline.models import MaskPoint, Stroke

INSIDE = 128
"""A mask's pixel from this value on is foreground."""

MAX_PIXELS = 12_000_000
"""More than any result has: all are of the resized picture's size, a fidelity picture perhaps of some side by side."""

LARGEST_MASK = 0.98
"""A mask that covers more of the picture than this marks nothing."""

Size = tuple[int, int]


class BadResultError(ValueError):
    """A result that is not what it should be. The message completes the sentence "the service made ..."."""


def check_resized(data: bytes, size: Size) -> None:
    """Check a resized picture: a complete JPEG of the size that the service says it has."""
    _decode(data, "JPEG", size)


def check_cutout(data: bytes, size: Size) -> None:
    """Check a cut-out: a PNG with alpha, of the picture's size, with neither nothing nor everything removed."""
    image = _decode(data, "PNG", size)
    if "A" not in image.getbands():
        raise BadResultError("a cut-out without alpha")
    lowest, highest = _extrema(image.getchannel("A"))
    if highest == 0:
        raise BadResultError("a cut-out with nothing left in it")
    if lowest == 255:
        raise BadResultError("a cut-out with nothing removed")


def check_mask(data: bytes, size: Size, points: list[MaskPoint]) -> None:
    """Check a mask: a PNG of the picture's size, neither empty nor full, that agrees with most of the points."""
    mask = _mask(data, size)
    covered = _coverage(mask)
    if covered == 0:
        raise BadResultError("an empty mask")
    if covered > LARGEST_MASK:
        raise BadResultError("a mask that covers everything")
    agreeing = sum(_inside(mask, point.x, point.y) == (point.label == 1) for point in points)
    if 2 * agreeing < len(points):
        raise BadResultError("a mask that contradicts most of the points")


def check_refined_mask(data: bytes, size: Size, strokes: list[Stroke]) -> None:
    """Check a painted mask: only erasing may empty it, only painting may fill it, and the last stroke shows."""
    mask = _mask(data, size)
    covered = _coverage(mask)
    modes = {stroke.mode for stroke in strokes}
    if covered == 0 and "remove" not in modes:
        raise BadResultError("an empty mask out of strokes that add")
    if covered > LARGEST_MASK and "add" not in modes:
        raise BadResultError("a full mask out of strokes that remove")
    last = strokes[-1]
    agreeing = sum(_inside(mask, x, y) == (last.mode == "add") for x, y in last.points)
    if 2 * agreeing < len(last.points):
        raise BadResultError("a mask in which the last stroke does not show")


def digest(data: bytes) -> bytes:
    """Return what tells one picture from another."""
    return sha256(data).digest()


def check_generated(data: bytes, size: Size, original: bytes) -> None:
    """Check a final picture: a complete JPEG of the picture's size, not the picture itself (`original`: its digest)."""
    _decode(data, "JPEG", size)
    if digest(data) == original:
        raise BadResultError("the picture that it was given, unchanged")


def check_fidelity(data: bytes) -> None:
    """Check a fidelity picture: a complete JPEG of a bearable size."""
    _decode(data, "JPEG", None)


def _decode(data: bytes, expected: str, size: Size | None) -> Image.Image:
    """Decode all of a picture; its size and structure are checked before, so that a picture bomb costs nothing."""
    if too_much := excess(data):
        raise BadResultError(f"a picture with {too_much}")
    try:
        image = Image.open(BytesIO(data), formats=("JPEG", "PNG"))
        if image.format != expected:
            raise BadResultError(f"a picture in {image.format} instead of {expected}")
        if size is not None and image.size != size:
            raise BadResultError(f"a picture of {image.width}x{image.height} instead of {size[0]}x{size[1]} pixels")
        if image.width * image.height > MAX_PIXELS:
            raise BadResultError(f"a picture of {image.width}x{image.height} pixels")
        if expected == "JPEG":
            image.draft("RGB", (max(1, image.width // 8), max(1, image.height // 8)))  # reads all, keeps little
        image.load()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        if isinstance(error, BadResultError):
            raise
        raise BadResultError("something that is not a complete picture") from error
    return image


def _mask(data: bytes, size: Size) -> Image.Image:
    image = _decode(data, "PNG", size)
    return image.getchannel("A") if image.mode in {"LA", "RGBA"} else image.convert("L")


def _extrema(band: Image.Image) -> tuple[int, int]:
    histogram = band.histogram()
    present = [value for value, count in enumerate(histogram) if count]
    return present[0], present[-1]


def _coverage(mask: Image.Image) -> float:
    return sum(mask.histogram()[INSIDE:]) / (mask.width * mask.height)


def _inside(mask: Image.Image, x: float, y: float) -> bool:
    pixel = (min(int(x * mask.width), mask.width - 1), min(int(y * mask.height), mask.height - 1))
    value = mask.getpixel(pixel)
    return isinstance(value, int | float) and value >= INSIDE
