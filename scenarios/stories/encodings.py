"""Unusual files of which a browser shows the same portrait: turned, mirrored, see-through, in other numbers."""

from io import BytesIO
from struct import pack
from typing import Any

from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from scenarios.photos import Encoding
from scenarios.stories.notes import on_a_jpeg, on_a_png
from scenarios.stories.profiles import GREY_IS_LIGHT, INKS_IN_ANOTHER_ORDER, WIDE, light

ORIENTATION = 0x0112
HELD = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""EXIF's orientations, and how the pixels of an upright picture lie in such a file."""
LINEAR = {b"cICP": bytes([1, 8, 0, 1]), b"gAMA": (100_000).to_bytes(4)}
"""How a PNG says that its numbers are light itself: by H.273's primaries of sRGB and linear curve, or a gamma of 1."""
HIDDEN = 7
"""A grey that is seen through."""


def encoded(upright: Image.Image, encoding: Encoding) -> bytes:
    """Return the file of a picture that an encoding describes."""
    family, _, pixels = encoding.kind.partition("-")
    make = _jpeg if family == "jpeg" else _png
    data = make(upright, pixels, encoding)
    if encoding.said == "late" and family == "jpeg":
        data = _exif_last(data)
    elif encoding.said == "late":
        data = _behind(make(upright, pixels, Encoding(encoding.kind)), data)
    if encoding.said == "noted":
        return (on_a_jpeg if family == "jpeg" else on_a_png)(data, encoding.orientation)
    return data if encoding.ended else data[: -ENDS[family]]


ENDS = {"jpeg": 2, "png": 12}
"""Bytes of a file's end marker."""


def _turned(encoding: Encoding) -> dict[str, Any]:
    """Return how the file says its orientation: one directory, at 8, with one short in it."""
    order, mark = ("<", b"II*\0") if encoding.said == "intel" else (">", b"MM\0*")
    exif = b"Exif\0\0" + mark + pack(f"{order}IHHHIHHI", 8, 1, ORIENTATION, 3, 1, encoding.orientation, 0, 0)
    return {} if encoding.orientation == 1 or encoding.said == "noted" else {"exif": exif}


def _exif_last(jpeg: bytes) -> bytes:
    """Return a JPEG whose EXIF stands right before its pixels."""
    at = jpeg.index(b"\xff\xe1")
    stop = at + 2 + int.from_bytes(jpeg[at + 2 : at + 4])
    pixels = jpeg.index(b"\xff\xda")
    return jpeg[:at] + jpeg[stop:pixels] + jpeg[at:stop] + jpeg[pixels:]


def _behind(plain: bytes, telling: bytes) -> bytes:
    """Return a PNG that is plain, and says behind its pixels what another one says of itself before them."""
    said, at = b"", PNG_HEAD
    while at < len(telling):
        stop = at + 12 + int.from_bytes(telling[at : at + 4])
        said += telling[at:stop] if telling[at + 4 : at + 8] in {*LINEAR, b"iCCP", b"eXIf"} else b""
        at = stop
    return plain[: -ENDS["png"]] + said + plain[-ENDS["png"] :]


PNG_HEAD = 33
"""Bytes of a PNG's signature and first chunk."""


def _saved(picture: Image.Image, image_format: str, **options: object) -> bytes:
    out = BytesIO()
    picture.save(out, image_format, **options)
    return out.getvalue()


def _jpeg(upright: Image.Image, pixels: str, encoding: Encoding) -> bytes:
    options = _turned(encoding) | {"quality": 92, "progressive": encoding.progressive}
    lies = upright if encoding.orientation == 1 else upright.transpose(HELD[encoding.orientation])
    made = lies.convert({"rgb": "RGB", "grey": "L"}.get(pixels, "CMYK"))
    if encoding.colours:
        made, profile = _in_profile(made)
        options["icc_profile"] = profile
    if pixels != "inks":
        return _saved(made, "JPEG", **options)
    data = _saved(Image.eval(made, lambda value: 255 - value), "JPEG", **options)
    at = data.index(ADOBE)
    return data[:at] + data[at + 2 + int.from_bytes(data[at + 2 : at + 4]) :]


ADOBE = b"\xff\xee"
"""The segment by which Adobe says that it wrote inks inverted."""


def _in_profile(picture: Image.Image) -> tuple[Image.Image, bytes]:
    """Return a picture in the numbers of a profile that is not what its mode usually means, and the profile."""
    if picture.mode == "L":
        return _in_light(picture), GREY_IS_LIGHT
    if picture.mode == "CMYK":
        cyan, magenta, yellow, black = picture.split()
        return Image.merge("CMYK", (magenta, yellow, cyan, black)), INKS_IN_ANOTHER_ORDER
    wide = ImageCms.ImageCmsProfile(BytesIO(WIDE))
    made = ImageCms.profileToProfile(picture, ImageCms.createProfile("sRGB"), wide)
    assert made is not None, "it was not to be done in place"
    return made, WIDE


def _png(upright: Image.Image, pixels: str, encoding: Encoding) -> bytes:
    options, numbers, chunks = _turned(encoding), upright.convert("L") if "grey" in pixels else upright, PngInfo()
    if encoding.colours:
        chunk = b"gAMA" if encoding.colours == "gamma" else b"cICP"
        chunks.add(chunk, LINEAR[chunk])
        numbers = _in_light(numbers)
    if encoding.colours == "cicp-profile":
        options["icc_profile"] = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    made, see_through = _pixels(numbers, pixels)
    lies = made if encoding.orientation == 1 else made.transpose(HELD[encoding.orientation])
    return _saved(lies, "PNG", pnginfo=chunks, **options, **see_through)


def _in_light(picture: Image.Image) -> Image.Image:
    """Return the picture in numbers that are light itself."""
    return picture.point([round(255 * light(value / 255)) for value in range(256)] * len(picture.getbands()))


def _pixels(numbers: Image.Image, pixels: str) -> tuple[Image.Image, dict[str, int]]:
    """Return a picture in a PNG's kind of pixels, and how it says which are seen through; what is hidden is dark."""
    empty = Image.new("1", numbers.size)
    empty.paste(1, hole(numbers))
    if pixels == "see-through":
        made = numbers.convert("RGBA")
        made.paste((0, 0, 0, 0), mask=empty)
        return made, {}
    if pixels == "see-through-palette":
        made = numbers.quantize(255)
        made.paste(255, mask=empty)
        made.putpalette([*(made.getpalette() or [])[: 3 * 255], 0, 0, 0])
        return made, {"transparency": 255}
    if pixels == "see-through-grey":
        made = numbers.point(lambda value: value + 1 if value == HIDDEN else value)
        made.paste(HIDDEN, mask=empty)
        return made, {"transparency": HIDDEN}
    if pixels == "grey-16":
        return numbers.convert("I").point(lambda value: value * 257).convert("I;16"), {}
    if pixels == "palette":
        return numbers.quantize(256), {}
    return numbers.convert("RGBA") if pixels == "rgba" else numbers, {}


def hole(picture: Image.Image) -> tuple[int, int, int, int]:
    """Return the corner where nobody stands: left, top, right and bottom."""
    return 0, 0, picture.width // 4, picture.height // 3
