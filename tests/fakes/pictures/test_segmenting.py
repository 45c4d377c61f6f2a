import io

import numpy as np
import pytest
from hypothesis import assume, given, settings, strategies as st
from PIL import Image

from fakes import pictures

PERSON = pictures.portrait(160, 120, seed=1)
POINT = st.tuples(st.floats(0, 1), st.floats(0, 1))


def pixels(mask: bytes) -> np.ndarray:
    image = Image.open(io.BytesIO(mask))
    assert (image.format, image.mode) == ("PNG", "L")
    values = np.asarray(image)
    assert set(np.unique(values)) <= {0, 255}
    return np.asarray(np.equal(values, 255))


def plain(width: int, height: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), (210, 160, 130)).save(out, "PNG")
    return out.getvalue()


def at(point: tuple[float, float], size: tuple[int, int]) -> tuple[int, int]:
    return round(point[1] * (size[1] - 1)), round(point[0] * (size[0] - 1))


@given(
    size=st.tuples(st.integers(24, 90), st.integers(24, 90)),
    wanted=st.lists(POINT, min_size=1, max_size=8),
    unwanted=st.lists(POINT, max_size=8),
    seed=st.integers(0, 3),
    flat=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_it_covers_the_foreground_points_and_no_background_point(
    size: tuple[int, int],
    wanted: list[tuple[float, float]],
    unwanted: list[tuple[float, float]],
    seed: int,
    flat: bool,
) -> None:
    inside = {at(point, size) for point in wanted}
    assume(not inside & {at(point, size) for point in unwanted})
    data = plain(*size) if flat else pictures.portrait(*size, seed=seed)
    labels = [1] * len(wanted) + [0] * len(unwanted)
    mask = pixels(pictures.segment(data, wanted + unwanted, labels))
    assert mask.shape == (size[1], size[0])
    assert all(mask[where] for where in inside)
    assert not any(mask[at(point, size)] for point in unwanted)
    assert not mask.all()


def test_the_mask_is_near_its_point() -> None:
    for point in ((0.2, 0.3), (0.7, 0.6)):
        rows, columns = np.nonzero(pixels(pictures.segment(plain(200, 150), [point], [1])))
        assert abs(columns.mean() / 199 - point[0]) < 0.03
        assert abs(rows.mean() / 149 - point[1]) < 0.06
        assert 30 < len(rows) < 200 * 150 * 0.1


def test_a_background_point_pushes_the_region_away() -> None:
    free = pixels(pictures.segment(plain(200, 150), [(0.5, 0.5)], [1]))
    pushed = pixels(pictures.segment(plain(200, 150), [(0.5, 0.5), (0.53, 0.5)], [1, 0]))
    assert pushed[:, 106:].sum() < 0.1 * free[:, 106:].sum()
    assert pushed[:, :100].sum() > 0.8 * free[:, :100].sum()


def test_the_region_ends_where_the_colour_changes() -> None:
    image = Image.new("RGB", (200, 150), (214, 160, 122))
    image.paste((20, 40, 120), (104, 0, 200, 150))
    out = io.BytesIO()
    image.save(out, "PNG")
    mask = pixels(pictures.segment(out.getvalue(), [(0.5, 0.5)], [1]))
    whole = pixels(pictures.segment(plain(200, 150), [(0.5, 0.5)], [1]))
    assert mask[:, 107:].sum() < 0.1 * whole[:, 107:].sum()
    assert mask[:, :99].sum() > 0.9 * whole[:, :99].sum()


def test_neighbouring_points_are_joined_and_distant_ones_are_not() -> None:
    near = pixels(pictures.segment(plain(200, 150), [(0.45, 0.5), (0.5, 0.5), (0.55, 0.5)], [1, 1, 1]))
    assert near[75, round(0.45 * 199) : round(0.55 * 199)].all()
    far = pixels(pictures.segment(plain(200, 150), [(0.2, 0.5), (0.8, 0.5)], [1, 1]))
    assert not far[:, 80:120].any()


def test_a_background_point_between_two_points_keeps_them_apart() -> None:
    points = [(0.46, 0.5), (0.54, 0.5), (0.5, 0.48)]
    assert pixels(pictures.segment(plain(200, 150), points[:2], [1, 1]))[75, 92:107].all()
    assert not pixels(pictures.segment(plain(200, 150), points, [1, 1, 0]))[:, 99].any()


def test_a_cut_out_keeps_the_mask_on_the_person() -> None:
    image = Image.open(io.BytesIO(plain(200, 150))).convert("RGBA")
    image.putalpha(Image.new("L", image.size, 255))
    image.paste((0, 0, 0, 0), (100, 0, 200, 150))
    out = io.BytesIO()
    image.save(out, "PNG")
    mask = pixels(pictures.segment(out.getvalue(), [(0.48, 0.5)], [1]))
    assert mask[:, :99].sum() > 50
    assert not mask[:, 103:].any()


def test_a_background_point_on_the_pixel_of_a_foreground_point_is_ignored() -> None:
    mask = pixels(pictures.segment(PERSON, [(0.5, 0.8), (0.5, 0.8)], [1, 0]))
    assert mask[at((0.5, 0.8), (160, 120))]


@pytest.mark.parametrize(
    ("points", "labels", "message"),
    [([], [], "labelled 1"), ([(0.5, 0.5)], [0], "labelled 1"), ([(0.5, 0.5)], [1, 1], "1 points but 2 labels")],
)
def test_points_that_make_no_sense_are_refused(
    points: list[tuple[float, float]], labels: list[int], message: str
) -> None:
    with pytest.raises(pictures.PictureError, match=message):
        pictures.segment(PERSON, points, labels)


def test_one_pixel_is_refused() -> None:
    with pytest.raises(pictures.PictureError, match="single pixel"):
        pictures.segment(plain(1, 1), [(0.5, 0.5)], [1])
