"""Filters on one real number for each pixel."""

import numpy as np
from PIL import Image

from fakes.pictures.opening import Field


def box_mean(values: Field, radius: int) -> Field:
    """The mean over the square of 2 * radius + 1 pixels around each pixel; edge pixels repeat outwards."""
    padded = np.pad(values, ((radius + 1, radius), (radius + 1, radius)), mode="edge")
    sums = padded.astype(np.float64).cumsum(0).cumsum(1)
    side = 2 * radius + 1
    total: Field = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    return (total / (side * side)).astype(np.float32)


def enlarge(values: Field, size: tuple[int, int]) -> Field:
    """The field brought to another size, (width, height), by linear interpolation."""
    return np.asarray(Image.fromarray(values).resize(size, Image.Resampling.BILINEAR))
