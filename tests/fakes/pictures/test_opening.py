import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from fakes import pictures
from fakes.pictures.opening import read_mask, read_rgb

NECK = pictures.necklace_points(96, 72)


def encoded(image: Image.Image, picture_format: str = "PNG") -> bytes:
    out = io.BytesIO()
    image.save(out, picture_format)
    return out.getvalue()


def person() -> Image.Image:
    return Image.open(io.BytesIO(pictures.portrait(96, 72, seed=5))).convert("RGB")


def in_mode(mode: str) -> bytes:
    if mode == "I;16":
        return encoded(Image.fromarray(np.asarray(person().convert("L")).astype(np.uint16) * 257))
    return encoded(person().convert(mode), "JPEG" if mode == "CMYK" else "PNG")


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_every_mode_goes_through_the_whole_chain_with_its_picture(mode: str) -> None:
    data = in_mode(mode)
    assert Image.open(io.BytesIO(data)).mode == mode
    resized = pictures.resize(data, 48)
    assert resized.new_size == (48, 36)
    image = Image.open(io.BytesIO(resized.data))
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (48, 36))
    # It is still the same picture: bright where it was bright.
    small = np.asarray(person().convert("L").resize((48, 36), Image.Resampling.BOX), np.float64)
    assert np.corrcoef(small.ravel(), np.asarray(image.convert("L"), np.float64).ravel())[0, 1] > 0.8
    assert 0 <= pictures.zoom_level(data) <= 1
    assert Image.open(io.BytesIO(pictures.remove_background(data))).mode == "RGBA"
    mask = pictures.segment(data, NECK, [1] * 5)
    assert Image.open(io.BytesIO(mask)).size == (96, 72)
    made = pictures.generate(data, mask, seed=1, gemini=False)
    assert Image.open(io.BytesIO(made.flux)).size == (96, 72)
    assert made.metrics.iou > 0.2


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_a_mask_means_the_same_in_every_mode(mode: str) -> None:
    half = Image.new("L", (40, 30))
    half.paste(255, (0, 0, 20, 30))
    if mode == "I;16":
        data = encoded(Image.fromarray(np.asarray(half).astype(np.uint16) * 257))
    else:
        data = encoded(half.convert(mode))
    read = np.asarray(read_mask(data))
    assert read.dtype == np.uint8
    assert (read[:, :20] == 255).all()
    assert (read[:, 20:] == 0).all()


def test_what_is_transparent_is_no_foreground_of_a_mask() -> None:
    mask = Image.new("LA", (8, 8), (255, 0))
    mask.paste((255, 255), (0, 0, 4, 8))
    read = np.asarray(read_mask(encoded(mask)))
    assert (read[:, :4] == 255).all()
    assert (read[:, 4:] == 0).all()


def test_a_transparent_picture_lies_on_white() -> None:
    assert read_rgb(encoded(Image.new("RGBA", (4, 4), (10, 20, 30, 0)))).getpixel((1, 1)) == (255, 255, 255)


BAD = {
    "empty": (b"", "empty"),
    "text": (b"<html>not a picture</html>", "neither JPEG nor PNG"),
    "gif": (encoded(Image.new("L", (8, 8)), "GIF"), "neither JPEG nor PNG"),
    "half a jpeg": (pictures.truncate(pictures.portrait(64, 48, seed=1)), "cannot be decoded"),
    "half a png": (pictures.truncate(encoded(person())), "cannot be decoded"),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("function", ["resize", "zoom_level", "remove_background", "segment", "paint", "generate"])
def test_a_bad_picture_is_an_error_that_says_what(function: str, name: str) -> None:
    data, message = BAD[name]
    good = encoded(Image.new("L", (64, 48), 255))
    calls: dict[str, Callable[[], object]] = {
        "resize": lambda: pictures.resize(data, 32),
        "zoom_level": lambda: pictures.zoom_level(data),
        "remove_background": lambda: pictures.remove_background(data),
        "segment": lambda: pictures.segment(data, [(0.5, 0.5)], [1]),
        "paint": lambda: pictures.paint_strokes(data, []),
        "generate": lambda: pictures.generate(good, data, 1, gemini=False),
    }
    with pytest.raises(pictures.PictureError, match=message):
        calls[function]()


def test_a_bomb_is_refused_before_it_is_decoded() -> None:
    bomb = encoded(Image.new("1", (9000, 8000)))
    with pytest.raises(pictures.PictureError, match="9000x8000"):
        pictures.resize(bomb, 100)
