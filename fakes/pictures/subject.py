"""Where the person is: a rough separation of subject and background, from colours and places alone."""

from typing import Final

import numpy as np
from PIL import Image, ImageFilter

from fakes.pictures.fields import box_mean
from fakes.pictures.opening import Field, alpha_of, as_rgb, decode, fit, open_picture
from fakes.pictures.regions import fill_holes, largest_part

WORKING_SIDE: Final = 176
"""The separation is made on a picture of at most this many pixels a side."""

_COLOURS: Final = 40


def zoom_level(data: bytes) -> float:
    """The share of the picture that the subject fills, from 0 (none of it) to 1. Raises PictureError.

    The subject is what looks like the middle of the picture more than like its upper and side edges. A picture with
    transparent parts has said it already: its opaque share counts. An app recommends removal of the background below
    a share of its choice, 0.5 in the fake.
    """
    opened = open_picture(data)
    opened.draft(None, (WORKING_SIDE * 2, WORKING_SIDE * 2))
    image = decode(opened)
    alpha = alpha_of(image)
    if alpha is not None:
        return round(float(np.asarray(alpha, np.float32).mean() / 255), 4)
    return round(float(subject(as_rgb(image)).mean()), 4)


def subject(image: Image.Image) -> Field:
    """How much each pixel of a small copy of the picture belongs to the subject, from 0 to 1."""
    small = image.resize(fit(image.size, WORKING_SIDE), Image.Resampling.BOX, reducing_gap=2.0)
    smooth = small.filter(ImageFilter.GaussianBlur(1))
    clusters = np.asarray(smooth.quantize(_COLOURS, Image.Quantize.MEDIANCUT, kmeans=2, dither=Image.Dither.NONE))
    place = _place(*clusters.shape)
    inner, outer = place, _frame(*clusters.shape)
    belief = place
    # Colours are judged by where they are, then by where the last round saw the subject.
    for _ in range(3):
        odds = np.log((_share(clusters, inner) + 1e-4) / (_share(clusters, outer) + 1e-4))
        belief = _sigmoid(1.3 * box_mean(odds[clusters], 1) + 1.1 * _logit(place))
        inner, outer = belief * belief, (1 - belief) ** 2 + 0.25 * _frame(*clusters.shape)
    region = fill_holes(largest_part(belief > 0.5))
    return np.where(region, np.maximum(belief, 0.75), np.minimum(belief, 0.25) * 0.2).astype(np.float32)


def _place(height: int, width: int) -> Field:
    """How likely a portrait's subject is at each place: a head in the upper middle on shoulders that widen."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    u, v = (x + 0.5) / width - 0.5, (y + 0.5) / height
    head = np.exp(-(((u / 0.24) ** 2 + ((v - 0.36) / 0.27) ** 2) ** 1.5))
    reach = 0.2 + 0.3 * np.clip((v - 0.45) / 0.4, 0, 1)
    body = np.clip((v - 0.45) / 0.2, 0, 1) * np.exp(-((u / reach) ** 4))
    return np.asarray(np.clip(np.maximum(head, body), 0.03, 0.97), np.float32)


def _frame(height: int, width: int) -> Field:
    """The upper and side edges of the picture, where background is looked for first."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    u, v = np.abs((x + 0.5) / width - 0.5) * 2, (y + 0.5) / height
    sides = np.clip((u - 0.8) / 0.15, 0, 1) * np.clip((0.85 - v) / 0.3, 0, 1)
    top = np.clip((0.1 - v) / 0.05, 0, 1)
    return np.asarray(np.maximum(np.maximum(sides, top), 1e-3), np.float32)


def _share(clusters: np.ndarray, weight: Field) -> Field:
    counts = np.bincount(clusters.ravel(), weights=weight.ravel(), minlength=_COLOURS)
    return np.asarray(counts / counts.sum(), np.float32)


def _sigmoid(values: Field) -> Field:
    return (1 / (1 + np.exp(-values))).astype(np.float32)


def _logit(values: Field) -> Field:
    return np.log(values / (1 - values)).astype(np.float32)
