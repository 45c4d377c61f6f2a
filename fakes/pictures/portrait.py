"""A synthetic portrait: a person who does not exist, with the sensor noise of a real camera."""

import numpy as np
from PIL import Image

from fakes.pictures.opening import to_jpeg
from fakes.pictures.person import draw_person

_DRAWN = 1500
"""The longest side at which the person is drawn; larger pictures are enlarged from it, as the noise hides."""


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
    return to_jpeg(_with_noise(picture, seed), quality=91)


def _with_noise(picture: Image.Image, seed: int) -> Image.Image:
    """Add sensor noise: grain in the brightness, from one tile that is repeated at shifts of its own."""
    random = np.random.default_rng(seed)
    pixels = np.asarray(picture, np.int16)
    tile = (random.standard_normal((512, 512)) * 4.6).astype(np.int16)
    height, width = pixels.shape[:2]
    noise = np.tile(tile, (height // 512 + 1, width // 512 + 1))[:height, :width]
    return Image.fromarray(np.clip(pixels + noise[:, :, None], 0, 255).astype(np.uint8))
