"""Painting and erasing on a mask with a round brush."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from PIL import Image, ImageDraw

from fakes.pictures.opening import read_mask, to_png


@dataclass(frozen=True, slots=True)
class Stroke:
    """One stroke: normalised points (x, y from 0 to 1), what it does, and its diameter in pixels of the picture."""

    points: Sequence[tuple[float, float]]
    mode: Literal["add", "remove"]
    size: float


def paint_strokes(mask: bytes, strokes: Sequence[Stroke]) -> bytes:
    """Paint strokes on a mask in their order and answer a PNG of mode L. Raises PictureError."""
    canvas = read_mask(mask).point(lambda value: 255 if value >= 128 else 0)
    for stroke in strokes:
        _paint(canvas, stroke)
    return to_png(canvas)


def _paint(canvas: Image.Image, stroke: Stroke) -> None:
    draw = ImageDraw.Draw(canvas)
    value = 255 if stroke.mode == "add" else 0
    radius = stroke.size / 2
    # 0 is the first pixel's centre and 1 the last one's, so that every point lies on the picture.
    path = [(x * (canvas.width - 1), y * (canvas.height - 1)) for x, y in stroke.points]
    for x, y in path:
        if radius <= 1:
            draw.point((round(x), round(y)), fill=value)
        else:
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=value)
    if len(path) > 1:
        draw.line(path, fill=value, width=max(1, round(stroke.size)))
