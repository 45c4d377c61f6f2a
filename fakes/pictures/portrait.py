"""A synthetic portrait: a person who does not exist, with the sensor noise of a real camera."""

import numpy as np
from PIL import Image, ImageChops

from fakes.pictures.opening import to_jpeg
from fakes.pictures.person import NECKLACE, draw_person, stand

_DRAWN = 1500
"""The longest side at which the person is drawn; larger pictures are enlarged from it, as the noise hides."""
_TILE = 512
_GRAIN = 8.8
"""Standard deviation of the noise, in steps of brightness: what a good sensor shows indoors."""


def portrait(width: int, height: int, seed: int, zoom: float = 1.0) -> bytes:
    """Draw a JPEG portrait of width x height pixels; 12 megapixels make about 5 MB.

    The same seed gives the same person. `zoom` above 1 comes closer, up to a face that fills the picture at 2.5;
    below 1 it steps back. Raises ValueError for a size or zoom that is not positive.
    """
    if width < 1 or height < 1 or zoom <= 0:
        raise ValueError(f"cannot draw a portrait of {width}x{height} at zoom {zoom}; all must be positive")
    scale = min(2.0, _DRAWN / max(width, height))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    picture = draw_person(size, seed, zoom).resize((width, height), Image.Resampling.BICUBIC)
    return to_jpeg(_with_noise(picture, seed), quality=94)


def _with_noise(picture: Image.Image, seed: int) -> Image.Image:
    """Add the grain of a sensor, from one tile that repeats with a shift of its own for each colour."""
    tile = Image.fromarray(
        np.clip(np.random.default_rng(seed).normal(128, _GRAIN, (_TILE, _TILE)) + 0.5, 0, 255).astype(np.uint8)
    )
    grain = Image.new("L", (picture.width + _TILE, picture.height + _TILE))
    for top in range(0, grain.height, _TILE):
        for left in range(0, grain.width, _TILE):
            grain.paste(tile, (left, top))
    width, height = picture.size
    bands = [grain.crop((shift, shift, shift + width, shift + height)) for shift in (0, 97, 211)]
    return ImageChops.add(picture, Image.merge("RGB", bands), offset=-128)


def necklace_points(width: int, height: int, zoom: float = 1.0) -> list[tuple[float, float]]:
    """Five points, normalised to 0..1, where a necklace lies on the portrait of this size and zoom: left to right."""
    unit, x, y = stand((width, height), zoom)
    return [
        (min(1.0, max(0.0, (x + u * unit) / width)), min(1.0, max(0.0, (y + v * unit) / height))) for u, v in NECKLACE
    ]
