import io

import pytest
from PIL import Image

from fakes import pictures

NECK = [(0.42, 0.68), (0.5, 0.76), (0.58, 0.68)]


@pytest.mark.parametrize("size", [(320, 240), (240, 320), (32, 32)])
def test_the_whole_chain_keeps_the_size_and_the_formats(size: tuple[int, int]) -> None:
    resized = pictures.resize(pictures.portrait(size[0] * 2, size[1] * 2, seed=1), max(size))
    assert (resized.original_size, resized.new_size) == ((size[0] * 2, size[1] * 2), size)
    cut_out = pictures.remove_background(resized.data)
    mask = pictures.segment(cut_out, NECK, [1, 1, 1])
    mask = pictures.paint_strokes(mask, [pictures.BrushStroke([(0.5, 0.7), (0.6, 0.8)], "add", 6)])
    made = pictures.generate(resized.data, mask, seed=3, gemini=True)
    assert made.gemini is not None
    assert made.gemini_viz is not None
    expected = [(cut_out, "PNG", "RGBA"), (mask, "PNG", "L")]
    expected += [(jpeg, "JPEG", "RGB") for jpeg in (made.flux, made.gemini, made.flux_viz, made.gemini_viz)]
    for data, picture_format, mode in expected:
        image = Image.open(io.BytesIO(data))
        assert (image.format, image.mode, image.size) == (picture_format, mode, size)
    assert made == pictures.generate(resized.data, mask, seed=3, gemini=True)
    assert made.flux != made.gemini
