"""Are the pictures that services claim to have made what they should be? Synchronous: run them in a thread.

What cannot be noticed here is written down with the fakes' faults in docs/fakes.md: a picture of the right size and
format that shows something else.
"""

from hashlib import sha256

from PIL import Image

from app.pictures.masks import INSIDE, MaskValuesError, read_mask, write_mask
from app.pictures.picture_file import CutOffError, PictureFile, StructureError
from app.pictures.strip import open_image, strip
from app.pipeline.models import MaskPoint, Stroke

MAX_PIXELS = 12_000_000
"""More than any result has: all are of the resized picture's size, a fidelity picture perhaps of some side by side."""

LARGEST_MASK = 0.98
"""A mask that covers more of the picture than this marks nothing."""

THIN = 3
"""Pixels of a brush under which a stroke may show in the pixel beside: services differ in how they round a point."""

Size = tuple[int, int]

_INCOMPLETE = "something that is not a complete picture"


class BadResultError(ValueError):
    """A result that is not what it should be. The message completes the sentence "the service made ..."."""

    def __init__(self, message: str, *, final: bool = False) -> None:
        """Keep the message, and whether the service would make it so again."""
        super().__init__(message)
        self.final = final


def open_result(data: bytes) -> PictureFile:
    """Look at a result's structure.

    Raises:
        BadResultError: it is no picture, not all of one, or too intricate.
    """
    try:
        return strip(data)
    except CutOffError as error:
        raise BadResultError(_INCOMPLETE) from error
    except StructureError as error:
        raise BadResultError(f"a picture that {error}") from error


def check_resized(picture: PictureFile, named: str, size: Size) -> None:
    """Check a resized picture: complete, of the size that the service says it has; a JPEG, or what its name says."""
    _decode(picture, {"JPEG", named}, size, draft=True)


def check_cutout(picture: PictureFile, named: str, size: Size) -> None:  # noqa: ARG001 - whatever its name, a PNG
    """Check a cut-out: a PNG with alpha, of the picture's size, with neither nothing nor everything removed."""
    image = _decode(picture, {"PNG"}, size)
    if not image.has_transparency_data:
        raise BadResultError("a cut-out without alpha")
    alpha = image if image.mode in {"LA", "RGBA"} else image.convert("RGBA")
    lowest, highest = _extrema(alpha.getchannel("A"))
    if highest == 0:
        raise BadResultError("a cut-out with nothing left in it")
    if lowest == 255:
        raise BadResultError("a cut-out with nothing removed")


def check_mask(picture: PictureFile, named: str, size: Size, points: list[MaskPoint]) -> bytes | None:
    """Check a mask: of the picture's size, neither empty nor full, in agreement with most of the points.

    Returns the mask as others read it too, where the service wrote it otherwise.
    """
    mask, plain = _mask(picture, named, size)
    covered = _coverage(mask)
    if covered == 0:
        raise BadResultError("an empty mask")
    if covered > LARGEST_MASK:
        raise BadResultError("a mask that covers everything")
    agreeing = sum(_inside(mask, point.x, point.y) == (point.label == 1) for point in points)
    if 2 * agreeing < len(points):
        raise BadResultError("a mask that contradicts most of the points")
    return None if plain else write_mask(mask)


def check_refined_mask(picture: PictureFile, named: str, size: Size, strokes: list[Stroke]) -> bytes | None:
    """Check a painted mask: only erasing may empty it, only painting may fill it, and the last stroke shows.

    Returns the mask as others read it too, where the service wrote it otherwise.
    """
    mask, plain = _mask(picture, named, size)
    covered = _coverage(mask)
    modes = {stroke.mode for stroke in strokes}
    if covered == 0 and "remove" not in modes:
        raise BadResultError("an empty mask out of strokes that add")
    if covered > LARGEST_MASK and "add" not in modes:
        raise BadResultError("a full mask out of strokes that remove")
    last = strokes[-1]
    around = 1 if last.size < THIN else 0
    agreeing = sum(_shows(mask, x, y, inside=last.mode == "add", around=around) for x, y in last.points)
    if 2 * agreeing < len(last.points):
        raise BadResultError("a mask in which the last stroke does not show")
    return None if plain else write_mask(mask)


def digest(picture: PictureFile) -> str:
    """Return what tells one picture from another, whatever else their files say."""
    return sha256(picture.data).hexdigest()


def check_generated(picture: PictureFile, named: str, size: Size, original: str | None) -> None:
    """Check a final picture: complete, of the picture's size, not the picture itself (`original`: its digest)."""
    _decode(picture, {named}, size, draft=True)
    if digest(picture) == original:
        raise BadResultError("the picture that it was given, unchanged")


def check_fidelity(picture: PictureFile, named: str) -> None:
    """Check a fidelity picture: complete, of a bearable size."""
    _decode(picture, {named}, None, draft=True)


def _decode(picture: PictureFile, formats: set[str], size: Size | None, *, draft: bool = False) -> Image.Image:
    """Decode all of a picture; its size and structure are checked before, so that a picture bomb costs nothing."""
    if picture.format not in formats:
        raise BadResultError(f"a picture in {picture.format} instead of {' or '.join(sorted(formats - {''}))}")
    width, height = picture.width, picture.height
    if size is not None and (width, height) != size:
        raise BadResultError(f"a picture of {width}x{height} instead of {size[0]}x{size[1]} pixels")
    if picture.pixels > MAX_PIXELS:
        raise BadResultError(f"a picture of {width}x{height} pixels")
    if not picture.ended:
        raise BadResultError(_INCOMPLETE)
    try:
        image = open_image(picture)
        if draft:
            image.draft("RGB", (max(1, width // 8), max(1, height // 8)))  # reads all, keeps little
        image.load()
    except Exception as error:  # Pillow's decoders raise whatever a strange file makes them raise
        raise BadResultError(_INCOMPLETE) from error
    return image


def _mask(picture: PictureFile, named: str, size: Size) -> tuple[Image.Image, bool]:
    image = _decode(picture, {"PNG", named}, size)
    try:
        return read_mask(image)
    except MaskValuesError as error:
        raise BadResultError(f"a mask {error}", final=True) from error


def _extrema(band: Image.Image) -> tuple[int, int]:
    histogram = band.histogram()
    present = [value for value, count in enumerate(histogram) if count]
    return present[0], present[-1]


def _coverage(mask: Image.Image) -> float:
    return sum(mask.histogram()[INSIDE:]) / (mask.width * mask.height)


def _shows(mask: Image.Image, x: float, y: float, *, inside: bool, around: int) -> bool:
    """Say whether a mask is as a stroke leaves it at a point, or at a pixel beside it."""
    column, row = _pixel(mask, x, y)
    left, top = max(0, column - around), max(0, row - around)
    right, bottom = min(mask.width, column + around + 1), min(mask.height, row + around + 1)
    darkest, lightest = _extrema(mask.crop((left, top, right, bottom)))
    return lightest >= INSIDE if inside else darkest < INSIDE


def _pixel(mask: Image.Image, x: float, y: float) -> tuple[int, int]:
    return min(int(x * mask.width), mask.width - 1), min(int(y * mask.height), mask.height - 1)


def _inside(mask: Image.Image, x: float, y: float) -> bool:
    value = mask.getpixel(_pixel(mask, x, y))
    return isinstance(value, int | float) and value >= INSIDE
