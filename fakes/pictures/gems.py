"""Small shaded things that jewellery is made of: beads of gold, pearls, cut stones."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image

Ramp = tuple[tuple[float, tuple[int, int, int]], ...]
"""Colours by brightness: (0 to 1, RGB), rising."""

GOLD: Final[Ramp] = (
    (0.0, (58, 30, 6)),
    (0.28, (128, 78, 16)),
    (0.5, (206, 148, 40)),
    (0.72, (246, 208, 96)),
    (0.9, (255, 242, 186)),
    (1.0, (255, 255, 246)),
)
SILVER: Final[Ramp] = (
    (0.0, (38, 42, 52)),
    (0.3, (104, 112, 126)),
    (0.55, (176, 184, 196)),
    (0.8, (230, 236, 242)),
    (1.0, (255, 255, 255)),
)
PEARL: Final[Ramp] = (
    (0.0, (112, 98, 98)),
    (0.3, (190, 174, 170)),
    (0.6, (234, 224, 218)),
    (0.85, (252, 247, 243)),
    (1.0, (255, 255, 255)),
)
RUBY: Final[Ramp] = ((0.0, (52, 0, 10)), (0.45, (168, 8, 38)), (0.8, (238, 70, 96)), (1.0, (255, 232, 236)))
EMERALD: Final[Ramp] = ((0.0, (0, 34, 18)), (0.45, (4, 118, 66)), (0.8, (70, 210, 140)), (1.0, (232, 255, 244)))
SAPPHIRE: Final[Ramp] = ((0.0, (4, 8, 54)), (0.45, (22, 58, 170)), (0.8, (98, 150, 246)), (1.0, (234, 242, 255)))
STONES: Final = (RUBY, EMERALD, SAPPHIRE)


@dataclass(frozen=True, slots=True)
class Style:
    """What one model makes: the metal, the beads, the stones, and how finely it works."""

    metal: Ramp
    bead: Ramp
    stone: Ramp
    fineness: float
    """Diameter of a bead as a multiple of the usual one."""
    backed: bool
    """Whether the beads sit on a plate of metal or on a bare thread."""


def colour(brightness: np.ndarray, ramp: Ramp) -> np.ndarray:
    """RGB bytes for each brightness from 0 to 1."""
    stops = [stop for stop, _ in ramp]
    channels = [np.interp(brightness, stops, [rgb[channel] for _, rgb in ramp]) for channel in range(3)]
    return np.stack(channels, axis=-1).astype(np.uint8)


def bead(diameter: int, ramp: Ramp) -> Image.Image:
    """A polished ball lit from the upper left, as RGBA."""
    u, v, height, cover = _ball(diameter)
    light = np.clip(-0.5 * u - 0.62 * v + 0.6 * height, 0, 1)
    shine = np.clip(-0.36 * u - 0.46 * v + 0.81 * height, 0, 1) ** 28
    rim = 0.22 * np.clip(0.5 * u + 0.7 * v, 0, 1) * (1 - height)
    return _sprite(np.clip(0.12 + 0.66 * light + 0.7 * shine + rim, 0, 1), cover, ramp)


def stone(diameter: int, ramp: Ramp) -> Image.Image:
    """A round cut stone: a table in the middle, facets around it, as RGBA."""
    u, v, _, cover = _ball(diameter)
    angle, radius = np.arctan2(v, u), np.hypot(u, v)
    facet = np.floor(angle / (2 * np.pi / 16))
    flicker = 0.5 + 0.5 * np.sin(facet * 2.4 + np.floor(radius * 3) * 1.7)
    table = radius < 0.5
    glow = 0.42 - 0.3 * u - 0.34 * v
    brightness = np.where(table, 0.34 + 0.5 * glow, 0.12 + 0.45 * flicker + 0.3 * glow)
    spark = np.exp(-(((u + 0.3) ** 2 + (v + 0.34) ** 2) / 0.02))
    return _sprite(np.clip(brightness + 0.8 * spark, 0, 1), cover, ramp)


def _ball(diameter: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    centres = (np.arange(diameter, dtype=np.float32) + 0.5) / diameter * 2 - 1
    u, v = np.meshgrid(centres, centres)
    radius = np.hypot(u, v)
    cover = np.clip((1 - radius) * diameter / 2 + 0.5, 0, 1)
    return u, v, np.sqrt(np.clip(1 - radius * radius, 0, 1)), cover


def _sprite(brightness: np.ndarray, cover: np.ndarray, ramp: Ramp) -> Image.Image:
    alpha = (cover * 255 + 0.5).astype(np.uint8)
    return Image.fromarray(np.dstack((colour(brightness, ramp), alpha)))
