import io

import numpy as np
import pytest
from PIL import Image

from fakes import pictures

PHOTO = pictures.portrait(64, 48, seed=1)
CUT = pictures.remove_background(PHOTO)
MASK = pictures.segment(PHOTO, [(0.5, 0.7)], [1])


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


@pytest.mark.parametrize("data", [PHOTO, CUT, MASK])
def test_truncated_has_a_whole_header_and_half_a_picture(data: bytes) -> None:
    broken = pictures.truncate(data)
    image = Image.open(io.BytesIO(broken))
    assert image.size == (64, 48)
    with pytest.raises(OSError, match="truncated"):
        image.load()


@pytest.mark.parametrize("data", [PHOTO, CUT, MASK])
def test_off_by_one_is_the_same_picture_a_pixel_narrower(data: bytes) -> None:
    before, after = opened(data), opened(pictures.off_by_one(data))
    assert (after.format, after.mode, after.size) == (before.format, before.mode, (63, 48))


def test_off_by_one_of_a_single_column_is_wider() -> None:
    out = io.BytesIO()
    Image.new("L", (1, 5)).save(out, "PNG")
    assert opened(pictures.off_by_one(out.getvalue())).size == (2, 5)


def test_drop_alpha_keeps_everything_but_the_alpha() -> None:
    after = opened(pictures.drop_alpha(CUT))
    assert (after.format, after.mode, after.size) == ("PNG", "RGB", (64, 48))
    clear = np.asarray(opened(CUT))[:, :, 3] == 0
    assert (np.asarray(after)[clear] == 0).all()


def test_masks_that_are_empty_full_or_inverted() -> None:
    mask = np.asarray(opened(MASK))
    for lie, expected in (
        (pictures.empty_mask, np.zeros_like(mask)),
        (pictures.full_mask, np.full_like(mask, 255)),
        (pictures.invert_mask, 255 - mask),
    ):
        image = opened(lie(MASK))
        assert (image.format, image.mode) == ("PNG", "L")
        assert (np.asarray(image) == expected).all()


@pytest.mark.parametrize(("data", "expected"), [(PHOTO, "PNG"), (CUT, "JPEG"), (MASK, "JPEG")])
def test_other_format_is_a_valid_picture_of_the_other_format(data: bytes, expected: str) -> None:
    image = opened(pictures.other_format(data))
    assert (image.format, image.size) == (expected, (64, 48))


LIES = ["truncate", "off_by_one", "drop_alpha", "empty_mask", "full_mask", "invert_mask", "other_format"]


@pytest.mark.parametrize("name", LIES)
def test_a_lie_about_no_picture_is_refused(name: str) -> None:
    with pytest.raises(pictures.PictureError):
        getattr(pictures, name)(b"no picture")
