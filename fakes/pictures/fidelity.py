"""How well drawn jewellery keeps to the mask that was asked for: figures, and a picture that shows them."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from fakes.pictures.opening import Flags

Rgb = tuple[int, int, int]

KEPT: Final[Rgb] = (0, 190, 120)
MISSING: Final[Rgb] = (70, 150, 255)
OVERGROWN: Final[Rgb] = (255, 214, 40)
_DIM: Final = 0.5


@dataclass(frozen=True, slots=True)
class Fidelity:
    """The agreement of the asked and the drawn region, each figure rounded to 4 digits.

    `growth_ratio` is the drawn area over the asked one. A figure without a denominator is 0.
    """

    precision: float
    recall: float
    iou: float
    growth_ratio: float


def compare(asked: Flags, drawn: Flags) -> Fidelity:
    """Compute the metrics of two regions of the same size."""
    both = int(np.count_nonzero(asked & drawn))
    either = int(np.count_nonzero(asked | drawn))
    wanted, made = int(np.count_nonzero(asked)), int(np.count_nonzero(drawn))
    return Fidelity(
        precision=_ratio(both, made),
        recall=_ratio(both, wanted),
        iou=_ratio(both, either),
        growth_ratio=_ratio(made, wanted),
    )


def show(photo: Image.Image, asked: Flags, drawn: Flags, metrics: Fidelity, title: str) -> Image.Image:
    """The dimmed photo with kept, missing and overgrown pixels in colour, and a legend with the figures."""
    picture = photo.convert("L").point(lambda value: value * _DIM).convert("RGB")
    for region, tint in ((asked & drawn, KEPT), (asked & ~drawn, MISSING), (drawn & ~asked, OVERGROWN)):
        picture.paste(tint, mask=Image.fromarray(region))
    _legend(picture, asked | drawn, metrics, title)
    return picture


def _ratio(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0


def _legend(picture: Image.Image, marked: Flags, metrics: Fidelity, title: str) -> None:
    """Write the legend into the corner that hides the least of what is marked."""
    size = max(8, round(min(picture.width / 34, picture.height / 26)))
    lines: list[tuple[str, Rgb | None]] = [
        (title, None),
        (f"kept: asked and drawn ({metrics.recall:.1%} of the mask)", KEPT),
        ("missing: asked, not drawn", MISSING),
        ("overgrown: drawn, not asked", OVERGROWN),
        (f"IoU {metrics.iou:.2f}   area {metrics.growth_ratio:.2f} of asked", None),
    ]
    font = ImageFont.load_default(size * 0.72)
    width = round(max(font.getlength(text) for text, _ in lines) + size * 2.2)
    height = round(size * (len(lines) + 0.8))
    if width > picture.width or height > picture.height / 2:
        return
    corners = [(x, y) for y in (picture.height - height, 0) for x in (0, picture.width - width)]
    left, top = min(corners, key=lambda at: int(marked[at[1] : at[1] + height, at[0] : at[0] + width].sum()))
    panel = Image.new("RGB", (width, height), (16, 18, 22))
    draw = ImageDraw.Draw(panel)
    for number, (text, tint) in enumerate(lines):
        y = round(size * (number + 0.4))
        if tint:
            draw.rectangle((size * 0.5, y + size * 0.15, size * 1.2, y + size * 0.85), fill=tint)
        draw.text((size * (1.6 if tint else 0.5), y), text, font=font, fill=(240, 240, 240))
    picture.paste(panel, (left, top))
