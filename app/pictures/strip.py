"""One look at a picture's file: what shows is kept, what does not is cut out, what cannot be borne is named."""

from io import BytesIO

from PIL import Image, PngImagePlugin

from app.pictures import jpeg, png
from app.pictures.picture_file import MAX_PROFILE_BYTES, PictureFile, StructureError

PngImagePlugin.MAX_TEXT_CHUNK = MAX_PROFILE_BYTES + 1024
"""Bytes of one packed part of a PNG: profiles alone are left of them. Pillow's own limit is 1 MB."""


def strip(data: bytes) -> PictureFile:
    """Go through a JPEG or PNG once, which costs a third of a millisecond a megabyte, and keep what shows of it.

    Raises:
        StructureError: it is neither, is cut off for sure, or is more intricate than any camera or program makes it.
    """
    if data.startswith(jpeg.MAGIC):
        return jpeg.strip_jpeg(data)
    if data.startswith(png.MAGIC):
        return png.strip_png(data)
    raise StructureError("is not a JPEG or PNG file")


def open_image(file: PictureFile) -> Image.Image:
    """Open a stripped file without decoding it.

    Raises:
        StructureError: it is of a kind that Pillow does not read, such as a JPEG of 12 bits or a PNG of 3.
    """
    try:
        return Image.open(BytesIO(file.data), formats=(file.format,))
    except Exception as error:  # Pillow's parsers raise whatever a strange file makes them raise
        raise StructureError(f"is a {file.format} of a kind that is not taken") from error
