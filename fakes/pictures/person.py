"""The person of the synthetic portrait: background, body, head, face and hair, from back to front."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image, ImageFilter

from fakes.pictures.canvas import Canvas, Curve, Rgb, mirrored, oval

NECKLACE: Final[Curve] = ((-0.25, 0.86), (-0.17, 1.05), (0.0, 1.15), (0.17, 1.05), (0.25, 0.86))
"""Where a necklace lies, in head heights from the middle of the face."""

_SKINS: Final[tuple[Rgb, ...]] = ((236, 188, 158), (214, 160, 122), (176, 118, 82), (124, 80, 56), (226, 172, 142))
_HAIRS: Final[tuple[Rgb, ...]] = ((74, 46, 30), (34, 26, 26), (30, 24, 24), (26, 20, 20), (150, 102, 52), (120, 54, 30))
_CLOTHES: Final[tuple[Rgb, ...]] = ((40, 74, 98), (112, 34, 56), (38, 84, 70), (84, 66, 112), (44, 46, 58))
_WALLS: Final[tuple[Rgb, ...]] = ((172, 186, 192), (196, 184, 166), (160, 176, 158), (178, 172, 190))
_IRISES: Final[tuple[Rgb, ...]] = ((84, 58, 36), (64, 92, 116), (70, 92, 60))

_HEAD: Final = mirrored(
    [(0.0, -0.5), (0.2, -0.47), (0.33, -0.33), (0.375, -0.1), (0.36, 0.1), (0.315, 0.27), (0.22, 0.42), (0.1, 0.495)]
)
_NECK: Final = mirrored([(0.0, 0.2), (0.215, 0.2), (0.2, 0.55), (0.215, 0.74), (0.33, 0.86), (0.5, 0.95), (0.0, 1.25)])
_TORSO: Final = mirrored(
    [(0.0, 0.8), (0.3, 0.84), (0.62, 0.93), (0.95, 1.05), (1.13, 1.28), (1.2, 1.7), (1.24, 2.4), (1.24, 4.0), (0, 4.2)]
)


@dataclass(frozen=True, slots=True)
class Looks:
    """What differs from person to person."""

    skin: Rgb
    hair: Rgb
    clothes: Rgb
    wall: Rgb
    iris: Rgb
    long_hair: bool
    neckline: float
    """How far down the neckline reaches, in head heights from the middle of the face."""


def looks_of(seed: int) -> Looks:
    """Choose the looks of a person by seed."""
    random = np.random.default_rng(seed)
    tone = int(random.integers(len(_SKINS)))
    # Dark skin goes with dark hair here; fair skin with any.
    hairs = _HAIRS[1:4] if tone in {2, 3} else _HAIRS
    irises = _IRISES[:1] if tone in {2, 3} else _IRISES
    return Looks(
        skin=_SKINS[tone],
        hair=hairs[int(random.integers(len(hairs)))],
        clothes=_CLOTHES[int(random.integers(len(_CLOTHES)))],
        wall=_WALLS[int(random.integers(len(_WALLS)))],
        iris=irises[int(random.integers(len(irises)))],
        long_hair=bool(random.random() < 0.6),
        neckline=float(random.uniform(1.38, 1.5)),
    )


def stand(size: tuple[int, int], zoom: float) -> tuple[float, float, float]:
    """Where the person stands: the height of the head in pixels, then x and y of the middle of the face."""
    width, height = size
    unit = 0.4 * min(height, width * 1.15) * zoom
    # Coming closer, the camera keeps the chin in the middle, so that the neck stays in the picture.
    return unit, width / 2, height * 0.54 - unit * 0.38


def draw_person(size: tuple[int, int], seed: int, zoom: float) -> Image.Image:
    """Draw a person at a size in pixels. `zoom` 1 shows head and shoulders."""
    looks = looks_of(seed)
    canvas = Canvas(_wall(size, looks.wall, seed), *stand(size, zoom))
    _hair_behind(canvas, looks)
    _body(canvas, looks)
    _head(canvas, looks)
    for side in (-1, 1):
        _eye(canvas, looks, side)
    _nose_and_mouth(canvas, looks)
    _hair_before(canvas, looks, seed)
    return canvas.image


def toned(colour: Rgb, factor: float, warm: int = 0) -> Rgb:
    """A colour made darker (factor below 1) or lighter, and warmer by so many steps."""
    red, green, blue = (min(255, round(channel * factor)) for channel in colour)
    return min(255, red + warm), green, max(0, blue - warm)


def _wall(size: tuple[int, int], colour: Rgb, seed: int) -> Image.Image:
    """A wall out of focus: light from the upper left, blurred patches, darker corners."""
    width, height = max(2, size[0] // 8), max(2, size[1] // 8)
    random = np.random.default_rng(seed + 1)
    y, x = np.mgrid[0:height, 0:width] / max(width, height)
    light = 1.1 - 0.32 * np.hypot(x - 0.25, y - 0.1)
    for _ in range(9):
        cx, cy, radius = *random.uniform(0, 1, 2), random.uniform(0.04, 0.13)
        light += random.uniform(-0.05, 0.09) * np.clip((radius - np.hypot(x - cx, y - cy)) * 40 + 0.5, 0, 1)
    pixels = np.clip(light[:, :, None] * np.array(colour), 0, 255).astype(np.uint8)
    small = Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(max(width, height) / 90))
    return small.resize(size, Image.Resampling.BICUBIC)


def _hair_behind(canvas: Canvas, looks: Looks) -> None:
    dark = toned(looks.hair, 0.72)
    low = 1.32 if looks.long_hair else 0.42
    right: Curve = [
        (0.0, -0.66),
        (0.3, -0.6),
        (0.47, -0.36),
        (0.52, -0.02),
        (0.53, low * 0.5),
        (0.52, low),
        (0.2, low + 0.05),
    ]
    behind = canvas.fill(mirrored(right), dark)
    canvas.shade(oval(-0.3, -0.2, 0.12, 0.5), toned(looks.hair, 1.25), 0.5, 0.08, behind)


def _body(canvas: Canvas, looks: Looks) -> None:
    skin, shadow = looks.skin, toned(looks.skin, 0.62, 8)
    torso = canvas.fill(_TORSO, skin)
    neck = canvas.fill(_NECK, skin)
    canvas.shade(mirrored([(0.0, 0.36), (0.3, 0.3), (0.24, 0.6), (0.0, 0.72)]), shadow, 0.75, 0.05, neck)
    canvas.shade([(0.1, 0.4), (0.26, 0.4), (0.3, 0.95), (0.14, 0.9)], shadow, 0.5, 0.05, neck)
    for side in (-1, 1):
        collarbone: Curve = [(side * 0.07, 1.1), (side * 0.3, 1.03), (side * 0.6, 1.0), (side * 0.3, 1.065)]
        canvas.shade(collarbone, shadow, 0.6, 0.022, torso)
        canvas.shade([(x, y - 0.035) for x, y in collarbone], toned(skin, 1.14), 0.5, 0.02, torso)
    canvas.shade(oval(0, 1.12, 0.035, 0.05), shadow, 0.4, 0.02, torso)
    low = looks.neckline
    right: Curve = [(0.0, low), (0.2, low - 0.05), (0.42, low - 0.24), (0.56, 0.905), (0.72, 0.93), (0.95, 1.04)]
    right = [*right, (1.14, 1.27), (1.22, 1.7), (1.26, 2.4), (1.26, 4.0), (0.0, 4.2)]
    clothes = canvas.fill(mirrored(right), looks.clothes)
    dark, bright = toned(looks.clothes, 0.55), toned(looks.clothes, 1.35)
    canvas.shade([(0.7, 0.95), (1.3, 1.2), (1.3, 4.0), (0.75, 4.0), (0.95, 1.7)], dark, 0.8, 0.12, clothes)
    canvas.shade([(-0.9, 1.1), (-0.6, 1.0), (-0.55, 2.0), (-0.85, 2.4)], bright, 0.5, 0.12, clothes)
    for x, lean in ((-0.62, 0.12), (-0.2, 0.05), (0.3, -0.06), (0.66, -0.12)):
        canvas.shade([(x, 1.7), (x + 0.03, 1.7), (x + lean, 2.6), (x + lean - 0.04, 2.6)], dark, 0.7, 0.03, clothes)
    hem: Curve = [(-0.56, 0.915), (-0.42, low - 0.235), (-0.2, low - 0.045), (0.0, low + 0.005)]
    hem = [*hem, *((-x, y) for x, y in reversed(hem[:-1]))]
    canvas.line(hem, toned(looks.clothes, 0.7), 0.022)


def _head(canvas: Canvas, looks: Looks) -> None:
    skin, shadow = looks.skin, toned(looks.skin, 0.66, 8)
    for side in (-1, 1):
        ear = canvas.fill(oval(side * 0.378, 0.02, 0.06, 0.125, -side * 0.12), toned(skin, 0.94, 4))
        canvas.shade(oval(side * 0.385, 0.02, 0.026, 0.075), shadow, 0.8, 0.014, ear)
    head = canvas.fill(_HEAD, skin)
    # Light from the upper left: the right side and the jaw turn away from it.
    canvas.shade(
        [(0.2, -0.5), (0.5, -0.4), (0.5, 0.6), (0.0, 0.62), (0.22, 0.3), (0.29, 0.0)], shadow, 0.55, 0.07, head
    )
    canvas.shade([(-0.42, -0.4), (-0.36, -0.4), (-0.33, 0.2), (-0.2, 0.5), (-0.36, 0.5)], shadow, 0.4, 0.04, head)
    canvas.shade(oval(-0.06, -0.27, 0.17, 0.1), toned(skin, 1.14), 0.6, 0.06, head)
    for side in (-1, 1):
        canvas.shade(oval(side * 0.205, 0.14, 0.08, 0.06), (212, 92, 84), 0.3, 0.04, head)
        canvas.shade(oval(side * 0.2 - 0.02, 0.085, 0.06, 0.025), toned(skin, 1.15), 0.45, 0.025, head)
        canvas.shade(oval(side * 0.155, -0.05, 0.1, 0.05), shadow, 0.45, 0.03, head)
    canvas.shade(oval(-0.01, 0.41, 0.07, 0.04), toned(skin, 1.12), 0.5, 0.03, head)


def _eye(canvas: Canvas, looks: Looks, side: int) -> None:
    x, y = side * 0.155, -0.035
    lashes = toned(looks.hair, 0.35)
    almond: Curve = [(x - 0.072, y + 0.006), (x - 0.035, y - 0.026), (x, y - 0.034), (x + 0.036, y - 0.026)]
    almond = [*almond, (x + 0.072, y + 0.006), (x + 0.035, y + 0.026), (x, y + 0.031), (x - 0.035, y + 0.026)]
    white = canvas.fill(almond, (244, 240, 238))
    for radius, colour in ((0.0345, toned(looks.iris, 0.5)), (0.029, looks.iris), (0.0145, (12, 10, 12))):
        canvas.fill(oval(x, y - 0.001, radius, radius), colour, white)
    canvas.shade(
        [(x - 0.075, y - 0.04), (x + 0.075, y - 0.04), (x + 0.07, y - 0.014), (x - 0.07, y - 0.014)],
        (60, 44, 44),
        0.6,
        0.008,
        white,
    )
    canvas.fill(oval(x - 0.012, y - 0.013, 0.0075, 0.0075), (255, 255, 255))
    upper: Curve = [
        (x - 0.078, y + 0.006),
        (x - 0.036, y - 0.028),
        (x, y - 0.037),
        (x + 0.037, y - 0.028),
        (x + 0.08, y + 0.004),
    ]
    canvas.line(upper, lashes, 0.013)
    canvas.line([(px * 1.0, py - 0.028) for px, py in upper[1:-1]], toned(looks.skin, 0.66, 6), 0.006)
    canvas.line([(px, 2 * y - py + 0.004) for px, py in upper[1:-1]], toned(looks.skin, 0.6, 6), 0.005)
    brow: Curve = [(x - side * 0.085, y - 0.09), (x - side * 0.02, y - 0.118), (x + side * 0.05, y - 0.116)]
    brow = [
        *brow,
        (x + side * 0.105, y - 0.078),
        (x + side * 0.05, y - 0.1),
        (x - side * 0.03, y - 0.097),
        (x - side * 0.082, y - 0.07),
    ]
    canvas.shade(brow, toned(looks.hair, 0.8), 0.9, 0.005)


def _nose_and_mouth(canvas: Canvas, looks: Looks) -> None:
    skin, shadow = looks.skin, toned(looks.skin, 0.6, 8)
    canvas.shade([(0.03, -0.06), (0.05, -0.05), (0.068, 0.15), (0.03, 0.16)], shadow, 0.5, 0.02)
    canvas.shade(oval(-0.012, 0.04, 0.016, 0.09), toned(skin, 1.18), 0.6, 0.014)
    canvas.shade(oval(-0.01, 0.135, 0.025, 0.018), toned(skin, 1.22), 0.55, 0.012)
    canvas.shade(
        mirrored([(0.0, 0.172), (0.05, 0.166), (0.075, 0.15), (0.05, 0.188), (0.0, 0.192)]), shadow, 0.75, 0.009
    )
    for side in (-1, 1):
        canvas.shade(oval(side * 0.032, 0.174, 0.017, 0.008), toned(skin, 0.35), 0.8, 0.005)
    lip = tuple(round(0.55 * a + 0.45 * b) for a, b in zip(skin, (176, 44, 58), strict=True))
    red: Rgb = (lip[0], lip[1], lip[2])
    canvas.shade(mirrored([(0.0, 0.345), (0.07, 0.335), (0.07, 0.36), (0.0, 0.37)]), shadow, 0.5, 0.014)
    upper = mirrored([(0.0, 0.262), (0.028, 0.25), (0.08, 0.268), (0.125, 0.283), (0.06, 0.291), (0.0, 0.293)])
    lower = mirrored([(0.0, 0.288), (0.06, 0.288), (0.125, 0.283), (0.09, 0.315), (0.045, 0.335), (0.0, 0.338)])
    canvas.fill(upper, toned(red, 0.84))
    full = canvas.fill(lower, red)
    canvas.shade(oval(-0.015, 0.312, 0.04, 0.009), toned(red, 1.4), 0.6, 0.009, full)
    canvas.line([(-0.14, 0.27), (-0.07, 0.286), (0.0, 0.291), (0.07, 0.286), (0.14, 0.27)], toned(red, 0.45), 0.008)


def _hair_before(canvas: Canvas, looks: Looks, seed: int) -> None:
    """The hair over forehead and temples, parted on one side, with strands."""
    hair = looks.hair
    low = 1.2 if looks.long_hair else 0.36
    left: Curve = [
        (0.1, -0.64),
        (-0.12, -0.66),
        (-0.34, -0.57),
        (-0.48, -0.34),
        (-0.53, 0.0),
        (-0.53, low * 0.6),
        (-0.5, low),
    ]
    left = [
        *left,
        (-0.38, low + 0.03),
        (-0.41, low * 0.55),
        (-0.4, 0.05),
        (-0.365, -0.14),
        (-0.3, -0.26),
        (-0.14, -0.38),
        (0.06, -0.44),
    ]
    right: Curve = [
        (0.04, -0.64),
        (0.26, -0.62),
        (0.42, -0.46),
        (0.5, -0.2),
        (0.53, 0.1),
        (0.53, low * 0.7),
        (0.49, low),
    ]
    right = [
        *right,
        (0.38, low + 0.03),
        (0.42, low * 0.5),
        (0.4, 0.03),
        (0.37, -0.16),
        (0.27, -0.33),
        (0.14, -0.42),
        (0.05, -0.45),
    ]
    random = np.random.default_rng(seed + 2)
    shapes = []
    for curve in (left, right):
        canvas.shade([(x * 0.97, y + 0.03) for x, y in curve], toned(looks.skin, 0.45), 0.5, 0.03)
        shapes.append(canvas.fill(curve, hair))
    for side, shape in zip((-1, 1), shapes, strict=True):
        lines: list[tuple[Curve, Rgb]] = []
        for _ in range(70):
            out = float(random.uniform(0.0, 1.0))
            edge = 0.37 + 0.17 * out
            top = -0.42 - 0.24 * out
            curve = [(0.06, top), (side * edge * 0.66, top * 0.86), (side * edge * 0.95, -0.2), (side * edge, 0.1)]
            curve = [*curve, (side * (edge + 0.01), low * 0.6), (side * (edge - 0.02), low + 0.05)]
            lines.append((curve, toned(hair, float(random.uniform(0.6, 1.5)))))
        canvas.strands(lines, 0.007, 0.55, shape)
        canvas.shade(oval(side * 0.3 - 0.04, -0.42, 0.14, 0.05, side * 0.7), toned(hair, 2.1, 6), 0.5, 0.04, shape)
        canvas.shade(oval(side * 0.52, 0.1, 0.05, 0.5), toned(hair, 0.45), 0.6, 0.04, shape)
