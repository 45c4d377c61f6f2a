"""Where the person is: a rough separation of subject and background, from places, skin and colours."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from fakes.pictures.fields import box_mean
from fakes.pictures.opening import Field, Flags, alpha_of, as_rgb, decode, fit, open_picture
from fakes.pictures.regions import fill_holes, label_parts, largest_part

WORKING_SIDE: Final = 176
"""The separation is made on a picture of at most this many pixels a side."""

_COLOURS: Final = 48
_UNLIKE: Final = 22.0
"""Colours so far apart, in steps of RGB, are seldom of one thing."""


@dataclass(frozen=True, slots=True)
class Face:
    """A face in the working picture, in pixels: its middle and the breadth of its skin."""

    x: float
    y: float
    breadth: float


def zoom_level(data: bytes) -> float:
    """The share of the picture that the subject fills, from 0 (none of it) to 1. Raises PictureError.

    The subject is what has the colours of the place where a person stands, given the face (found by its skin) or else
    the middle of the picture, rather than those of the upper and side edges. A picture with transparent parts says it
    by itself: its opaque share counts.
    """
    opened = open_picture(data)
    opened.draft(None, (WORKING_SIDE * 2, WORKING_SIDE * 2))
    image = decode(opened)
    alpha = alpha_of(image)
    if alpha is not None:
        return round(float(np.asarray(alpha, np.float32).mean() / 255), 4)
    return round(float((subject(as_rgb(image)) > 0.5).mean()), 4)


def subject(image: Image.Image) -> Field:
    """How much each pixel of a small copy of the picture belongs to the subject, from 0 to 1."""
    small = image.resize(fit(image.size, WORKING_SIDE), Image.Resampling.BOX, reducing_gap=2.0)
    smooth = small.filter(ImageFilter.GaussianBlur(1))
    few = smooth.quantize(_COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    clusters, alike = np.asarray(few), _likeness(few)
    place = _place(clusters.shape, find_face(smooth))
    frame = _frame(clusters.shape)
    inner, outer = place * place, (1 - place) ** 2 * (0.15 + frame)
    belief = place
    # Colours are judged by where they are, then by where the last round saw the subject.
    for _ in range(3):
        odds = np.log((_share(clusters, inner, alike) + 1e-4) / (_share(clusters, outer, alike) + 1e-4))
        belief = _sigmoid(box_mean(odds[clusters], 1) + np.log(place / (1 - place)))
        inner, outer = belief * belief, (1 - belief) ** 2
    region = fill_holes(largest_part(belief > 0.5))
    return np.where(region, np.maximum(belief, 0.8), np.minimum(belief, 0.2) * 0.5)


def find_face(small: Image.Image) -> Face | None:
    """The largest patch of skin colour, the more central the better; None when there is none, as in a grey picture."""
    luma, blue, red = (np.asarray(band, np.float32) for band in small.convert("YCbCr").split())
    skin: Flags = (luma > 60) & (red > 138) & (red < 175) & (blue > 85) & (blue < 124) & (red - blue > 14)
    height, width = skin.shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    central = np.exp(-(((x / width - 0.5) / 0.25) ** 2) - ((y / height - 0.4) / 0.3) ** 2)
    labels, count = label_parts(skin)
    if not count:
        return None
    weights = np.bincount(labels.ravel(), weights=central.ravel())
    weights[0] = 0
    patch = labels == weights.argmax()
    if patch.sum() < 0.004 * patch.size:
        return None
    rows = np.flatnonzero(patch.any(axis=1))
    top, breadth = int(rows[0]), float(np.sqrt(patch.sum()))
    middle = 0.0
    # Skin goes on below the chin. A face is a third longer than broad: count so many rows from the top.
    for _ in range(6):
        upper = patch[top : top + max(2, round(breadth * 1.3))]
        breadths = upper.sum(axis=1)
        breadth = float(np.percentile(breadths, 80))
        middle = float(np.nonzero(upper)[1].mean())
    return Face(x=middle, y=top + breadth * 0.6, breadth=max(breadth, 1.0))


def _place(shape: tuple[int, ...], face: Face | None) -> Field:
    """How likely the subject is at each place: a head, and shoulders that widen below it."""
    height, width = shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    if face is None:
        face = Face(x=width * 0.5, y=height * 0.36, breadth=min(width, height) * 0.28)
    u, v = (x - face.x) / face.breadth, (y - face.y) / face.breadth
    head = 1.25 - np.hypot(u / 0.85, (v + 0.1) / 1.05)
    reach = 0.55 + 1.25 * np.clip((v - 0.7) / 0.9, 0, 1)
    body = np.minimum(1.2 - np.abs(u) / reach, (v - 0.4) * 3)
    likely = np.maximum(head, body)
    return np.asarray(np.clip(_sigmoid(likely * 5), 0.05, 0.92))


def _frame(shape: tuple[int, ...]) -> Field:
    """The upper and side edges of the picture, where background is looked for first."""
    height, width = shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    u, v = np.abs((x + 0.5) / width - 0.5) * 2, (y + 0.5) / height
    sides = np.clip((u - 0.8) / 0.15, 0, 1) * np.clip((0.85 - v) / 0.3, 0, 1)
    top = np.clip((0.1 - v) / 0.05, 0, 1)
    return np.asarray(np.maximum(sides, top))


def _likeness(few: Image.Image) -> Field:
    """How alike each two of the few colours are, from 0 to 1: a wall in uneven light is still one wall."""
    palette = np.zeros((_COLOURS, 3))
    given = np.array(few.getpalette(), np.float64).reshape(-1, 3)[:_COLOURS]
    palette[: len(given)] = given
    apart = np.linalg.norm(palette[:, None] - palette[None], axis=2)
    return np.asarray(np.exp(-((apart / _UNLIKE) ** 2)))


def _share(clusters: NDArray[np.integer[Any]], weight: Field, alike: Field) -> Field:
    """The share of the weight that falls on each colour and those like it."""
    counts = alike @ np.bincount(clusters.ravel(), weights=weight.ravel(), minlength=_COLOURS)
    return np.asarray(counts / max(float(weight.sum()), 1e-9))


def _sigmoid(values: Field) -> Field:
    return np.asarray(1 / (1 + np.exp(np.clip(-values, -40, 40))))
