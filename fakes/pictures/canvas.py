"""A canvas measured in heads: smooth shapes, soft shades and strands, wherever and however large the person stands."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

Rgb = tuple[int, int, int]
Curve = Sequence[tuple[float, float]]
"""Points (x, y) in head heights from the middle of the face, y downwards."""

Box = tuple[int, int, int, int]

_FINE: Final = 2
"""Shapes are drawn so many times larger and shrunk, for smooth edges."""
_COARSE: Final = 4
"""Wide shades are made so many times smaller and enlarged: the blur hides it."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A mask and where it lies on the canvas."""

    mask: Image.Image
    box: Box

    def within(self, box: Box) -> Image.Image:
        """The part of the mask that lies in a box of the canvas."""
        return self.mask.crop((box[0] - self.box[0], box[1] - self.box[1], box[2] - self.box[0], box[3] - self.box[1]))


@dataclass(slots=True)
class Canvas:
    """A picture under work. `unit` is the height of the head in pixels, (x, y) the middle of the face."""

    image: Image.Image
    unit: float
    x: float
    y: float

    def fill(self, curve: Curve, colour: Rgb, clip: Shape | None = None) -> Shape:
        """Fill a closed curve with a colour, within `clip`. Answers the shape, to clip shades to."""
        points = self._pixels(smooth(curve))
        box = self._box(points, margin=1)
        shape = Shape(_polygon(points, box, _FINE), box)
        self._lay(shape, colour, clip)
        return shape

    def shade(self, curve: Curve, colour: Rgb, strength: float, blur: float, clip: Shape | None = None) -> None:
        """Lay a soft colour over a closed curve, within `clip`. `blur` is in head heights."""
        points = self._pixels(smooth(curve))
        radius = blur * self.unit
        box = self._box(points, margin=round(radius * 3) + 1)
        scale = 1 / _COARSE if radius > 2 * _COARSE else 1
        mask = _polygon(points, box, scale, round(255 * strength), radius)
        self._lay(Shape(mask, box), colour, clip)

    def line(self, curve: Curve, colour: Rgb, breadth: float) -> None:
        """Draw one open smooth line with round ends, `breadth` in head heights."""
        points = self._pixels(smooth(curve, closed=False))
        width = max(1.0, breadth * self.unit)
        box = self._box(points, margin=round(width) + 1)
        mask = Image.new("L", ((box[2] - box[0]) * _FINE, (box[3] - box[1]) * _FINE))
        draw = ImageDraw.Draw(mask)
        path = [((px - box[0]) * _FINE, (py - box[1]) * _FINE) for px, py in points]
        draw.line(path, fill=255, width=max(1, round(width * _FINE)), joint="curve")
        for px, py in (path[0], path[-1]):
            draw.ellipse((px - width, py - width, px + width, py + width), fill=255)
        self._lay(Shape(mask.reduce(_FINE), box), colour, None)

    def strands(self, curves: Iterable[tuple[Curve, Rgb]], breadth: float, strength: float, clip: Shape) -> None:
        """Draw open smooth lines, `breadth` in head heights, within `clip`."""
        left, top, *_ = clip.box
        layer = self.image.crop(clip.box)
        draw = ImageDraw.Draw(layer)
        width = max(1, round(breadth * self.unit))
        for curve, colour in curves:
            path = [(px - left, py - top) for px, py in self._pixels(smooth(curve, closed=False))]
            draw.line(path, fill=colour, width=width)
        self.image.paste(layer, clip.box, clip.mask.point(lambda value: value * strength))

    def _lay(self, shape: Shape, colour: Rgb, clip: Shape | None) -> None:
        mask = ImageChops.multiply(shape.mask, clip.within(shape.box)) if clip else shape.mask
        self.image.paste(colour, shape.box, mask)

    def _pixels(self, curve: np.ndarray) -> list[tuple[float, float]]:
        return [(self.x + u * self.unit, self.y + v * self.unit) for u, v in curve.tolist()]

    def _box(self, points: list[tuple[float, float]], margin: int) -> Box:
        """The box around points that lies on the canvas; at least one pixel, even when they are beside it."""
        columns, rows = [px for px, _ in points], [py for _, py in points]
        left = min(max(0, int(min(columns)) - margin), self.image.width - 1)
        top = min(max(0, int(min(rows)) - margin), self.image.height - 1)
        right = max(min(self.image.width, int(max(columns)) + margin + 1), left + 1)
        bottom = max(min(self.image.height, int(max(rows)) + margin + 1), top + 1)
        return left, top, right, bottom


def _polygon(
    points: list[tuple[float, float]], box: Box, scale: float, value: int = 255, blur: float = 0.0
) -> Image.Image:
    """A filled polygon as the mask of a box, made at `scale` times its size."""
    width, height = box[2] - box[0], box[3] - box[1]
    mask = Image.new("L", (max(1, round(width * scale)), max(1, round(height * scale))))
    path = [((px - box[0]) * scale, (py - box[1]) * scale) for px, py in points]
    ImageDraw.Draw(mask).polygon(path, fill=value)
    if blur:
        mask = mask.filter(ImageFilter.GaussianBlur(blur * scale))
    if scale > 1:
        return mask.reduce(round(scale))
    return mask.resize((width, height), Image.Resampling.BILINEAR) if scale < 1 else mask


def oval(x: float, y: float, rx: float, ry: float, turn: float = 0.0) -> Curve:
    """An ellipse as a curve, turned by `turn` radians."""
    angles = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    u, v = rx * np.cos(angles), ry * np.sin(angles)
    points = np.stack([x + u * np.cos(turn) - v * np.sin(turn), y + u * np.sin(turn) + v * np.cos(turn)], axis=1)
    return [(float(px), float(py)) for px, py in points]


def mirrored(right: Curve) -> Curve:
    """A closed curve that is its right half and the mirror image of it. The half runs from the top to the bottom."""
    return [*right, *((-x, y) for x, y in reversed(right))]


def smooth(curve: Curve, *, closed: bool = True, pieces: int = 8) -> np.ndarray:
    """Points along a smooth curve (Catmull-Rom) through the given ones."""
    points = np.array(curve, np.float64)
    around = (points[-1:], points[:2]) if closed else (points[:1], points[-1:])
    p = np.concatenate((around[0], points, around[1]))
    t = np.linspace(0, 1, pieces, endpoint=False)[None, :, None]
    p0, p1, p2, p3 = (p[shift : len(p) - 3 + shift, None, :] for shift in range(4))
    curved = p1 + 0.5 * t * (p2 - p0 + t * (2 * p0 - 5 * p1 + 4 * p2 - p3 + t * (3 * (p1 - p2) + p3 - p0)))
    flat: np.ndarray = curved.reshape(-1, 2)
    return flat if closed else np.concatenate((flat, points[-1:]))
