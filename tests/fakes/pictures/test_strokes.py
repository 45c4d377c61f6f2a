import io

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from PIL import Image

from fakes.pictures import BrushStroke, empty_mask, full_mask, paint_strokes, portrait

EMPTY = empty_mask(portrait(101, 81, seed=0))
FULL = full_mask(EMPTY)


def painted(mask: bytes, *strokes: BrushStroke) -> np.ndarray:
    image = Image.open(io.BytesIO(paint_strokes(mask, strokes)))
    assert (image.format, image.mode, image.size) == ("PNG", "L", (101, 81))
    return np.asarray(np.equal(np.asarray(image), 255))


@given(x=st.floats(0, 1), y=st.floats(0, 1), size=st.floats(1, 40))
@settings(max_examples=80, deadline=None)
def test_a_dot_is_round_and_has_the_diameter_asked_for(x: float, y: float, size: float) -> None:
    mask = painted(EMPTY, BrushStroke([(x, y)], "add", size))
    rows, columns = np.mgrid[0:81, 0:101]
    distance = np.hypot(columns - x * 100, rows - y * 80)
    assert mask[round(y * 80), round(x * 100)]
    assert mask[distance < size / 2 - 1].all()
    assert not mask[distance > size / 2 + 1].any()


def test_a_stroke_is_joined_and_has_round_ends() -> None:
    mask = painted(EMPTY, BrushStroke([(0.2, 0.5), (0.6, 0.5), (0.6, 0.9)], "add", 10))
    assert mask[40, 20:61].all()
    assert mask[40:73, 60].all()
    assert mask[40, 16]
    assert not mask[36, 16]
    assert not mask[40, 13]
    # Round at the bend as well, and as broad as asked.
    assert mask[37, 62]
    assert 9 <= mask[:, 40].sum() <= 11


def test_removing_removes_there_and_nowhere_else() -> None:
    mask = painted(FULL, BrushStroke([(0.5, 0.2), (0.5, 0.8)], "remove", 8))
    assert not mask[16:65, 47:54].any()
    assert mask[:, :44].all()
    assert mask[:, 57:].all()


def test_strokes_are_painted_in_their_order() -> None:
    add, remove = BrushStroke([(0.5, 0.5)], "add", 20), BrushStroke([(0.5, 0.5)], "remove", 10)
    ring = painted(EMPTY, add, remove)
    assert not ring[40, 50]
    assert ring[40, 42]
    assert painted(EMPTY, remove, add)[40, 50]


@pytest.mark.parametrize("mask", [EMPTY, FULL])
def test_no_strokes_change_nothing(mask: bytes) -> None:
    assert (painted(mask) == (np.asarray(Image.open(io.BytesIO(mask))) == 255)).all()
