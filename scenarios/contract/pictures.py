"""Pictures to give a service, and what is seen of those that it makes."""

from io import BytesIO

from PIL import Image, ImageDraw

from fakes.pictures.portrait import portrait
from scenarios.contract.report import Deviation

SIZE = (600, 800)
FOREGROUND = ((0.44, 0.62), (0.5, 0.66), (0.56, 0.62))
BACKGROUND = ((0.05, 0.05),)


def decoded(data: bytes, image_format: str, what: str) -> Image.Image:
    """Decode a picture to its end.

    Raises:
        Deviation: it is not a complete picture of that format.
    """
    try:
        image = Image.open(BytesIO(data))
        image.load()
    except (OSError, SyntaxError) as error:
        raise Deviation(f"{what} is no complete picture: {error}") from None
    if image.format != image_format:
        raise Deviation(f"{what} is {image.format} instead of {image_format}")
    return image


def photo(size: tuple[int, int] = SIZE) -> bytes:
    """Draw the JPEG that services are given."""
    return portrait(*size, seed=1)


def mask() -> bytes:
    """Draw a mask for the photo: an ellipse where a necklace would be."""
    image = Image.new("L", SIZE)
    width, height = SIZE
    ImageDraw.Draw(image).ellipse((0.38 * width, 0.56 * height, 0.62 * width, 0.68 * height), fill=255)
    out = BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def inside(image: Image.Image, point: tuple[float, float]) -> bool:
    """Say whether a mask is foreground at a point in shares of width and height."""
    pixel = (min(int(point[0] * image.width), image.width - 1), min(int(point[1] * image.height), image.height - 1))
    value = image.convert("L").getpixel(pixel)
    return isinstance(value, int | float) and value >= 128
