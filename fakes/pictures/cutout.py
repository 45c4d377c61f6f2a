"""What BiRefNet does to a picture: the background goes, the person stays."""

import numpy as np
from PIL import Image

from fakes.pictures.fields import box_mean, enlarge
from fakes.pictures.opening import Field, Grey, alpha_of, as_rgb, decode, open_picture, to_png
from fakes.pictures.subject import subject


def remove_background(data: bytes) -> bytes:
    """Cut the subject out: an RGBA PNG of the same size, with a soft edge. Raises PictureError.

    Parts that were transparent before stay so.
    """
    image = decode(open_picture(data))
    rgb = as_rgb(image)
    alpha = _edge(rgb, subject(rgb))
    given = alpha_of(image)
    if given is not None:
        alpha = np.minimum(alpha, np.asarray(given))
    # What is clear is black as well: it packs smaller, and no background is left behind a lost alpha channel.
    cut = Image.composite(rgb, Image.new("RGB", rgb.size), Image.fromarray(alpha > 0))
    cut.putalpha(Image.fromarray(alpha))
    return to_png(cut)


def _edge(rgb: Image.Image, belief: Field) -> Grey:
    """Bring a small belief up to the picture's size, its edge drawn to the edges of the picture (a guided filter)."""
    height, width = belief.shape
    guide = np.asarray(rgb.convert("L").resize((width, height), Image.Resampling.BOX), np.float32) / 255
    radius, ridge = 4, np.float32(4e-4)
    mean, target = box_mean(guide, radius), box_mean(belief, radius)
    slope: Field = (box_mean(guide * belief, radius) - mean * target) / (
        box_mean(guide * guide, radius) - mean * mean + ridge
    )
    offset = box_mean(target - slope * mean, radius)
    slope = box_mean(slope, radius)
    full = np.asarray(rgb.convert("L"), np.float32) * np.float32(1 / 255)
    full *= enlarge(slope, rgb.size)
    full += enlarge(offset, rgb.size)
    # Steeper, so that the inside is opaque and the outside clear.
    return np.asarray(np.clip((full - 0.4) * 2.8, 0, 1) * 255 + 0.5, np.uint8)
