"""The small pictures that the doctor gives to services: something in front of something else, and a mask for it."""

from io import BytesIO

from PIL import Image, ImageDraw

SIDE = 256
"""Width and height in pixels."""


def photo() -> bytes:
    """Return a JPEG."""
    image = Image.new("RGB", (SIDE, SIDE), (200, 205, 210))
    ImageDraw.Draw(image).ellipse((SIDE // 4, SIDE // 8, 3 * SIDE // 4, 7 * SIDE // 8), fill=(190, 140, 110))
    out = BytesIO()
    image.save(out, "JPEG")
    return out.getvalue()


def mask() -> bytes:
    """Return a PNG of mode L, 255 where the jewellery goes."""
    image = Image.new("L", (SIDE, SIDE))
    ImageDraw.Draw(image).ellipse((SIDE // 3, SIDE // 3, 2 * SIDE // 3, SIDE // 2), fill=255)
    out = BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
