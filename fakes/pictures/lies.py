"""Pictures that lie: what the picture faults put in the place of an honest result.

Every function takes the bytes of an honest picture and answers the bytes of a broken one. Except for `truncate`,
`without_end` and `nothing`, what comes out is a valid picture. All raise PictureError when the input is no picture.
"""

import numpy as np
from PIL import Image, ImageOps

from fakes.pictures.opening import as_rgb, decode, open_picture, read_mask, to_jpeg, to_png


def truncate(data: bytes) -> bytes:
    """The first half of the file: the header is whole, the pixels are not."""
    open_picture(data)
    return data[: len(data) // 2]


def without_end(data: bytes) -> bytes:
    """The picture with zeros for the marker at its end, as in a file that was laid out before it was filled."""
    return data[: -2 if open_picture(data).format == "JPEG" else -12] + bytes(64)


def nothing(data: bytes) -> bytes:
    """A file without a byte."""
    open_picture(data)
    return b""


def padded(data: bytes, size: int) -> bytes:
    """The picture, and behind it as much as makes a file of so many bytes, as phones and editors leave things there."""
    open_picture(data)
    return data + bytes(max(0, size - len(data)))


def no_picture(data: bytes) -> bytes:
    """A page in place of the picture, as a program writes that did not look at what it was given."""
    open_picture(data)
    return b"<!doctype html><title>502 Bad Gateway</title>"


def bomb(data: bytes) -> bytes:
    """A picture of one colour, twelve million pixels and some, which takes fifty megabytes to look at."""
    return _encode_like(open_picture(data).format, Image.new("RGB", (4000, 3001), "navy"))


def off_by_one(data: bytes) -> bytes:
    """The same picture, one pixel narrower (one wider, if it has a single column), in the same format and mode."""
    opened = open_picture(data)
    image = decode(opened)
    width = image.width - 1 or 2
    return _encode_like(opened.format, image.crop((0, 0, width, image.height)))


def drop_alpha(data: bytes) -> bytes:
    """The picture as PNG without its alpha channel: what was cut away is back, in black."""
    return to_png(as_rgb(decode(open_picture(data)), backdrop="black"))


def empty_cutout(data: bytes) -> bytes:
    """The cut-out with nothing left in it."""
    return _with_alpha(data, 0)


def full_cutout(data: bytes) -> bytes:
    """The cut-out with nothing removed."""
    return _with_alpha(data, 255)


def _with_alpha(data: bytes, alpha: int) -> bytes:
    image = decode(open_picture(data)).convert("RGBA")
    image.putalpha(alpha)
    return to_png(image)


def other_cutout(data: bytes, mode: str) -> bytes:
    """The same cut-out as PNG of a "palette" with transparency, or in "grey" with alpha."""
    image = decode(open_picture(data)).convert("RGBA")
    return to_png(image.quantize(method=Image.Quantize.FASTOCTREE) if mode == "palette" else image.convert("LA"))


def empty_mask(data: bytes) -> bytes:
    """A mask of the same size with no foreground at all."""
    return to_png(Image.new("L", open_picture(data).size, 0))


def full_mask(data: bytes) -> bytes:
    """A mask of the same size that is foreground everywhere."""
    return to_png(Image.new("L", open_picture(data).size, 255))


def invert_mask(data: bytes) -> bytes:
    """The mask with foreground and background exchanged."""
    return to_png(ImageOps.invert(read_mask(data)))


def other_values(data: bytes, values: str) -> bytes:
    """The same mask with its two values written otherwise, as the name of the way says."""
    mask = read_mask(data).point(lambda value: 255 if value >= 128 else 0)
    if values in {"0-1", "1-2"}:
        return to_png(mask.point(lambda value: value // 255 + int(values[0])))
    if values in {"16-bit", "16-bit-0-1"}:
        wide = np.asarray(mask, dtype=np.uint16)
        return to_png(Image.fromarray(wide * 257 if values == "16-bit" else wide // 255))
    if values == "alpha":
        white = Image.new("RGBA", mask.size, "white")
        white.putalpha(mask)
        return to_png(white)
    return to_png(mask.convert({"1-bit": "1", "rgb": "RGB", "palette": "P"}[values]))


def other_format(data: bytes) -> bytes:
    """The same picture in the other format: JPEG becomes PNG, PNG becomes JPEG."""
    opened = open_picture(data)
    rgb = as_rgb(decode(opened))
    return to_png(rgb) if opened.format == "JPEG" else to_jpeg(rgb)


def _encode_like(picture_format: str | None, image: Image.Image) -> bytes:
    return to_jpeg(image) if picture_format == "JPEG" else to_png(image)
