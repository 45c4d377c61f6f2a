"""Jewellery drawn into a mask: rows of beads along its outline, on a plate, with a pendant at its lowest point."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image, ImageFilter

from fakes.pictures.gems import EMERALD, GOLD, PEARL, SILVER, STONES, Style, bead, colour, stone
from fakes.pictures.opening import Flags
from fakes.pictures.regions import depth, outlines, resample

WORKING_SIDE: Final = 360
"""Rows are laid out on a copy of the mask of at most this many pixels a side."""

_PARTS: Final = 24
"""Separate pieces that get a pendant and rows of their own; the largest ones."""
_ROWS: Final = 40
"""Rows at most, outside in; what a very large mask has left inside is bare plate."""
_DEPTH: Final = 120


@dataclass(frozen=True, slots=True)
class Drawn:
    """The picture with the jewellery on, and the pixels that the jewellery covers."""

    image: Image.Image
    covered: Flags


def style_of(seed: int, *, gemini: bool) -> Style:
    """What a model makes of a seed: gold and stones for Flux, silver and pearls for Gemini."""
    gem = STONES[seed % len(STONES)]
    if gemini:
        return Style(
            metal=SILVER, bead=PEARL, stone=EMERALD if gem is not EMERALD else STONES[0], fineness=1.25, backed=False
        )
    return Style(metal=GOLD, bead=GOLD, stone=gem, fineness=1.0, backed=True)


def wear(photo: Image.Image, asked: Flags, style: Style) -> Drawn:
    """Draw jewellery of a style where `asked` is True. An empty region leaves the photo as it is."""
    if not asked.any():
        return Drawn(photo.copy(), np.zeros_like(asked))
    height, width = asked.shape
    usual = float(np.hypot(width, height)) * 0.0085 * style.fineness
    box = _around(asked, round(usual * 6) + 2)
    left, top, right, bottom = box
    piece = _draw(asked[top:bottom, left:right], max(2.0, usual), style)
    worn = photo.copy()
    scene = photo.crop(box)
    scene = _shadowed(scene, piece.getchannel("A"), max(1.0, usual))
    scene.paste(piece, (0, 0), piece)
    worn.paste(scene, box)
    covered = np.zeros_like(asked)
    covered[top:bottom, left:right] = np.asarray(piece.getchannel("A")) >= 128
    return Drawn(worn, covered)


def _around(asked: Flags, margin: int) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(asked.any(axis=1)), np.flatnonzero(asked.any(axis=0))
    height, width = asked.shape
    return (
        max(0, int(columns[0]) - margin),
        max(0, int(rows[0]) - margin),
        min(width, int(columns[-1]) + 1 + margin),
        min(height, int(rows[-1]) + 1 + margin),
    )


def _draw(asked: Flags, usual: float, style: Style) -> Image.Image:
    """The jewellery alone, as RGBA of the region's size. `usual` is a bead's diameter in pixels."""
    height, width = asked.shape
    scale = max(1.0, max(asked.shape) / WORKING_SIDE)
    working = (max(1, round(width / scale)), max(1, round(height / scale)))
    share = np.asarray(Image.fromarray(asked.astype(np.uint8) * 255).resize(working, Image.Resampling.BOX))
    # A region so thin that it is nowhere half of a working pixel counts where it is most of one.
    small = share >= min(128, int(share.max()))
    piece = Image.new("RGBA", (width, height))
    away = depth(small, _DEPTH)
    # Whole rows from the edge to the middle: then the two innermost ones touch.
    half = float(away.max()) * scale
    rows = max(1, round(half / usual))
    diameter = max(2.0, min(half / rows, usual * 1.3))
    if style.backed:
        piece = _plate(asked, diameter, style)
    ball = bead(max(2, round(diameter * 1.04)), style.bead)
    step = diameter / scale
    for row in range(min(_ROWS, rows) - 1, -1, -1):
        for outline in outlines(away > min((row + 0.5) * step, float(away.max()) * 0.99), _PARTS):
            for x, y in resample(outline, step, smooth=4) * np.float32(scale):
                _set(piece, ball, float(x), float(y))
    for outline in outlines(small, _PARTS):
        _hang(piece, outline * np.float32(scale), diameter, style)
    return piece


def _plate(asked: Flags, diameter: float, style: Style) -> Image.Image:
    """A plate of metal that fills the region, rounded at its edge, lit from the upper left."""
    grey = Image.fromarray(asked.astype(np.uint8) * 255)
    soft = np.asarray(grey.filter(ImageFilter.GaussianBlur(max(0.8, diameter / 4))), np.float32) / 255
    slope_y, slope_x = np.gradient(soft) if min(soft.shape) > 1 else (np.zeros_like(soft), np.zeros_like(soft))
    light = np.asarray(np.clip(0.3 + (slope_x * 0.6 + slope_y * 0.8) * diameter * 0.5, 0.02, 0.9))
    alpha = np.clip((soft - 0.5) * 8 + 0.35, 0, 1) * 255
    return Image.fromarray(np.dstack((colour(light, style.metal), alpha.astype(np.uint8))))


def _hang(piece: Image.Image, outline: np.ndarray, diameter: float, style: Style) -> None:
    """Hang a stone with its setting from the lowest point of an outline."""
    lowest = outline[outline[:, 1] >= outline[:, 1].max() - diameter * 0.5]
    x, y = float(lowest[:, 0].mean()), float(outline[:, 1].max())
    extent = float(max(np.ptp(outline[:, 0]), np.ptp(outline[:, 1])))
    size = min(diameter * 2.4, extent * 0.22)
    if size < 3:
        return
    _set(piece, bead(max(2, round(size * 0.4)), style.metal), x, y)
    _set(piece, bead(round(size * 1.25), style.metal), x, y + size * 0.6)
    _set(piece, stone(round(size), style.stone), x, y + size * 0.6)


def _set(piece: Image.Image, sprite: Image.Image, x: float, y: float) -> None:
    place = (round(x - sprite.width / 2), round(y - sprite.height / 2))
    # alpha_composite refuses a negative place, so what lies outside is cut off first.
    cut = (max(0, -place[0]), max(0, -place[1]))
    if cut[0] < sprite.width and cut[1] < sprite.height:
        piece.alpha_composite(sprite, (place[0] + cut[0], place[1] + cut[1]), cut)


def _shadowed(scene: Image.Image, cover: Image.Image, diameter: float) -> Image.Image:
    """The scene with the shadow that falls from what covers it, a little below and to the right."""
    shift = (round(diameter * 0.25), round(diameter * 0.45))
    shade = Image.new("L", cover.size)
    shade.paste(cover, shift)
    shade = shade.filter(ImageFilter.GaussianBlur(max(0.6, diameter * 0.4))).point(lambda value: value * 0.5)
    dark = Image.new("RGB", scene.size, (28, 12, 8))
    return Image.composite(dark, scene, shade)
