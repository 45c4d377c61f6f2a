"""What a mask means, whichever way it is written: which of its pixels are foreground."""

from io import BytesIO

from PIL import Image

INSIDE = 128
"""A mask's pixel from this value on is foreground."""

_NAMED = 4
"""So many values are named one by one."""


class MaskValuesError(ValueError):
    """Values that do not say which pixels are foreground. The message completes the sentence "... made a mask"."""


def read_mask(image: Image.Image) -> tuple[Image.Image, bool]:
    """Return a decoded mask as 8-bit grey, foreground from 128 on, and whether others would read the file so too.

    In modes 1, L, P, RGB and in 16 bits a mask is as bright as it is foreground. Where it has transparency, what is not
    transparent is foreground. Two values of which the lower is 0 are background and foreground, whatever the other is.

    Raises:
        MaskValuesError: all values are dark, and there are more than two: it is no mask, or in a scale of its own.
    """
    plain = True
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        alpha = rgba.getchannel("A")
        plain = alpha.getextrema() == (255, 255)
        shades = rgba.convert("L") if plain else alpha
    elif image.mode.startswith("I"):
        wide = image.convert("I")
        scaled = wide.point(lambda value: value / 257).convert("L")
        plain = scaled.getextrema() != (0, 0)
        shades = scaled if plain else wide.convert("L")
    else:
        shades = image.convert("L")
    values = [value for value, count in enumerate(shades.histogram()) if count]
    if values[-1] >= INSIDE or values == [0]:
        return shades, plain
    if len(values) > 1 and (values[0] != 0 or len(values) > 2):
        raise MaskValuesError(f"of the values {_named(values)}, where 255 is foreground and 0 is not")
    return shades.point(lambda value: 255 if value else 0), False


def write_mask(shades: Image.Image) -> bytes:
    """Return a mask as every service reads it: an 8-bit grey PNG."""
    out = BytesIO()
    shades.save(out, "PNG", compress_level=1)
    return out.getvalue()


def _named(values: list[int]) -> str:
    if len(values) > _NAMED:
        return f"{values[0]} to {values[-1]}"
    return " and ".join([", ".join(map(str, values[:-1])), str(values[-1])])
