"""What the image manipulator does to a picture."""

from dataclasses import dataclass

from PIL import Image

from fakes.pictures.opening import as_rgb, decode, fit, open_picture, to_jpeg


@dataclass(frozen=True, slots=True)
class ResizedPicture:
    """A resized JPEG and both sizes, (width, height) in pixels."""

    data: bytes
    original_size: tuple[int, int]
    new_size: tuple[int, int]


def resize(data: bytes, max_dimension: int) -> ResizedPicture:
    """Shrink a picture to at most `max_dimension` pixels a side, ratio kept, never enlarged. Raises PictureError.

    The EXIF orientation is not applied, and is lost: a caller that did not turn the picture sees it lying.
    """
    if max_dimension < 1:
        raise ValueError(f"max_dimension is {max_dimension}; it must be at least 1")
    image = open_picture(data)
    original = image.size
    size = fit(original, max_dimension)
    # A JPEG is decoded at half, a quarter or an eighth of its size where that is still large enough.
    image.draft(None, size)
    rgb = as_rgb(decode(image))
    if rgb.size != size:
        rgb = rgb.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    return ResizedPicture(to_jpeg(rgb, quality=92), original, size)
