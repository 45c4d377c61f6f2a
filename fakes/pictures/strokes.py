"""Painting and erasing on a mask with a round brush."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image, ImageDraw

from fakes.pictures.opening import read_mask, to_png


@dataclass(frozen=True, slots=True)
class BrushStroke:
    """One stroke: normalised points (x, y from 0 to 1), what it does, and its diameter in pixels of the picture."""

    points: Sequence[tuple[float, float]]
    mode: Literal["add", "remove"]
    size: float


def paint_strokes(mask: bytes, strokes: Sequence[BrushStroke]) -> bytes:
    """Paint strokes on a mask in their order and answer a PNG of mode L. Raises PictureError."""
    canvas = read_mask(mask).point(lambda value: 255 if value >= 128 else 0)
    for stroke in strokes:
        _paint(canvas, stroke)
    return to_png(canvas)


def _paint(canvas: Image.Image, stroke: BrushStroke) -> None:
    value = 255 if stroke.mode == "add" else 0
    tip = _tip(stroke.size)
    # 0 is the first pixel's centre and 1 the last one's, so that every point lies on the picture.
    path = [(round(x * (canvas.width - 1)), round(y * (canvas.height - 1))) for x, y in stroke.points]
    for x, y in path:
        canvas.paste(value, (x - tip.width // 2, y - tip.height // 2), tip)
    if len(path) > 1:
        ImageDraw.Draw(canvas).line(path, fill=value, width=max(1, round(stroke.size)))


def _tip(size: float) -> Image.Image:
    """The round tip of a brush: the pixels within half its diameter of the middle one."""
    reach = int(size / 2)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    return Image.fromarray(np.hypot(x, y) <= size / 2)
