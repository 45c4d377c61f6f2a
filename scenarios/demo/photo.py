"""The demo's photo and points: the user's own, or a synthetic portrait whose neck is where we know it."""

from dataclasses import dataclass
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from fakes.pictures.portrait import necklace_points, portrait

PORTRAIT_SIZE = (3000, 4000)
PORTRAIT_SEED = 7
# A step back from the camera, so that removing the background is recommended and the demo shows that step too.
PORTRAIT_ZOOM = 0.8
# Where a neck is in many portraits. A user's own photo is better served by POINTS.
USUAL_POINTS = "0.44,0.56 0.5,0.6 0.56,0.56"


class DemoError(Exception):
    """What the user gave cannot be used; the message is one line for the terminal."""


@dataclass(frozen=True)
class PostedPhoto:
    """What to post: the file's bytes, what to call it, and the points as the API takes them."""

    data: bytes
    title: str
    points: list[dict[str, float | int]]


def drawn(points: str) -> PostedPhoto:
    """Draw the synthetic portrait of 12 megapixels; without points it gets a necklace."""
    width, height = PORTRAIT_SIZE
    neck = necklace_points(width, height, PORTRAIT_ZOOM)
    chosen = parse(points) if points else [{"x": x, "y": y, "label": 1} for x, y in neck]
    data = portrait(width, height, PORTRAIT_SEED, PORTRAIT_ZOOM)
    return PostedPhoto(data, f"a synthetic portrait, {width} x {height}, {len(data) / 1e6:.1f} MB", chosen)


def load(path: Path, points: str) -> PostedPhoto:
    """Read the user's photo. Only its head is looked at: whether it is good enough is for the gateway to say.

    Raises:
        DemoError: there is no such file, or it is neither JPEG nor PNG; or the points cannot be read.
    """
    chosen = parse(points or USUAL_POINTS)
    try:
        data = path.read_bytes()
        with Image.open(path, formats=("JPEG", "PNG")) as image:
            width, height = image.size
    except Image.DecompressionBombError:
        raise DemoError(f"PHOTO={path} claims more pixels than can be decoded") from None
    except UnidentifiedImageError:
        raise DemoError(f"PHOTO={path} is neither a JPEG nor a PNG file") from None
    except (OSError, SyntaxError) as error:
        raise DemoError(f"PHOTO={path} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    return PostedPhoto(data, f"{path.name}, {width} x {height}, {len(data) / 1e6:.1f} MB", chosen)


def parse(points: str) -> list[dict[str, float | int]]:
    """Read points as `x,y` or `x,y:label`, with spaces between; x and y from 0 to 1, label 1 (the default) or 0.

    Raises:
        DemoError: names the point that cannot be read, or says that none is foreground.
    """
    read = [_parse_one(word) for word in points.split()]
    if not any(point["label"] == 1 for point in read):
        raise DemoError(f"POINTS={points!r} has no foreground point; write for example POINTS='0.5,0.6 0.1,0.2:0'")
    return read


def _parse_one(word: str) -> dict[str, float | int]:
    place, _, label = word.partition(":")
    x, _, y = place.partition(",")
    try:
        point = {"x": float(x), "y": float(y), "label": int(label or 1)}
    except ValueError:
        point = {}
    if not point or not (0 <= point["x"] <= 1 and 0 <= point["y"] <= 1 and point["label"] in {0, 1}):
        raise DemoError(
            f"POINTS: cannot read {word!r}; a point is x,y or x,y:label, with x and y from 0 to 1, label 1 or 0"
        )
    return point
