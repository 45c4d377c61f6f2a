"""The sample photos of the page, drawn once each, and where a necklace hangs on them."""

from functools import cache

from fakes.pictures import necklace_points, portrait

SIZE = (1080, 1440)
SEED = 7
ZOOMS = {"far": 0.8, "near": 1.0}
"""A step back, so that the background is removed too; and close by, where it stays."""


@cache
def sample(name: str) -> bytes:
    """Return a sample as a JPEG.

    Raises:
        KeyError: there is no sample of that name.
    """
    return portrait(*SIZE, SEED, ZOOMS[name])


def points(name: str) -> list[dict[str, float | int]]:
    """Return the foreground points of a sample, as the API takes them."""
    return [{"x": round(x, 4), "y": round(y, 4), "label": 1} for x, y in necklace_points(*SIZE, ZOOMS[name])]
