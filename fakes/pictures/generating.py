"""What the A100 does: jewellery on the photo where the mask asks for it, by two models, and the fidelity of each."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from fakes.pictures.fidelity import Fidelity, compare, show
from fakes.pictures.jewellery import style_of, wear
from fakes.pictures.opening import Flags, PictureError, read_mask, read_rgb, to_jpeg


@dataclass(frozen=True, slots=True)
class GeneratedPictures:
    """JPEGs of the photo's size and the metrics; what is named gemini is None when that model is off."""

    flux: bytes
    gemini: bytes | None
    flux_viz: bytes
    gemini_viz: bytes | None
    metrics: Fidelity
    metrics_gemini: Fidelity | None


def generate(image: bytes, mask: bytes, seed: int, gemini: bool) -> GeneratedPictures:
    """Draw jewellery along the mask. An empty mask gives the photo as it was, and metrics of 0.

    Raises PictureError for a bad picture, or when photo and mask differ in size.
    """
    photo, region = read_rgb(image), read_mask(mask)
    if photo.size != region.size:
        raise PictureError(
            f"the mask is {region.width}x{region.height} but the picture is {photo.width}x{photo.height}; "
            "they must have the same size"
        )
    asked = np.asarray(region) >= 128
    flux, flux_viz, metrics = _one(photo, asked, seed, gemini=False)
    if not gemini:
        return GeneratedPictures(flux, None, flux_viz, None, metrics, None)
    other, other_viz, other_metrics = _one(photo, asked, seed, gemini=True)
    return GeneratedPictures(flux, other, flux_viz, other_viz, metrics, other_metrics)


def _one(photo: Image.Image, asked: Flags, seed: int, *, gemini: bool) -> tuple[bytes, bytes, Fidelity]:
    drawn = wear(photo, asked, style_of(seed, gemini=gemini))
    metrics = compare(asked, drawn.covered)
    picture = show(
        photo, asked, drawn.covered, metrics, "Gemini: mask and jewellery" if gemini else "Flux: mask and jewellery"
    )
    return to_jpeg(drawn.image), to_jpeg(picture, sharp_colours=True), metrics
