import io
import random

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from fakes import pictures
from fakes.pictures.fidelity import KEPT, MISSING, OVERGROWN, compare

PHOTO = pictures.portrait(320, 240, seed=1)
MASK = pictures.segment(PHOTO, pictures.necklace_points(320, 240), [1] * 5)


def rgb(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), np.int32)


def changed(result: bytes, photo: bytes = PHOTO) -> np.ndarray:
    """Where the result differs from the photo by more than encoding it once more does."""
    return np.asarray(np.abs(rgb(result) - rgb(photo)).max(axis=2) > 60)


def asked(mask: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(mask))) >= 128


def test_the_jewellery_is_where_the_mask_is() -> None:
    made = pictures.generate(PHOTO, MASK, 7, gemini=True)
    assert made.gemini is not None
    for result in (made.flux, made.gemini):
        where, wanted = changed(result), asked(MASK)
        assert where[wanted].mean() > 0.4
        far = np.asarray(Image.fromarray(wanted).resize((32, 24))) == 0
        assert where.sum() < 2 * wanted.sum()
        assert where[:100].sum() == 0
        assert far.any()


@pytest.mark.parametrize(("dx", "dy"), [(-0.25, 0.0), (0.2, -0.3)])
def test_a_moved_point_moves_the_jewellery(dx: float, dy: float) -> None:
    def middle(point: tuple[float, float]) -> np.ndarray:
        mask = pictures.segment(PHOTO, [point], [1])
        rows, columns = np.nonzero(changed(pictures.generate(PHOTO, mask, 7, gemini=False).flux))
        return np.array([columns.mean() / 319, rows.mean() / 239])

    moved = middle((0.5 + dx, 0.75 + dy)) - middle((0.5, 0.75))
    assert np.abs(moved - (dx, dy)).max() < 0.05


def test_the_two_models_make_different_things() -> None:
    made = pictures.generate(PHOTO, MASK, 7, gemini=True)
    assert made.gemini is not None
    wanted = asked(MASK)
    gold, pearls = rgb(made.flux)[wanted].mean(axis=0), rgb(made.gemini)[wanted].mean(axis=0)
    assert gold[0] - gold[2] > 60
    assert pearls[0] - pearls[2] < 50
    assert made.metrics != made.metrics_gemini
    assert made.flux_viz != made.gemini_viz


def test_without_gemini_its_parts_are_none_and_the_rest_is_the_same() -> None:
    both, one = (pictures.generate(PHOTO, MASK, 7, gemini=gemini) for gemini in (True, False))
    assert (one.gemini, one.gemini_viz, one.metrics_gemini) == (None, None, None)
    assert (one.flux, one.flux_viz, one.metrics) == (both.flux, both.flux_viz, both.metrics)


def test_a_seed_chooses_the_stone() -> None:
    assert len({pictures.generate(PHOTO, MASK, seed, gemini=False).flux for seed in range(3)}) == 3


def test_metrics_differ_from_photo_to_photo() -> None:
    seen = set()
    for seed in range(4):
        photo = pictures.portrait(320, 240, seed, zoom=1 + seed / 10)
        mask = pictures.segment(photo, pictures.necklace_points(320, 240, 1 + seed / 10), [1] * 5)
        metrics = pictures.generate(photo, mask, 7, gemini=False).metrics
        assert 0.7 < metrics.iou < 1
        seen.add(metrics)
    assert len(seen) == 4


def test_the_metrics_are_those_of_the_picture_of_fidelity() -> None:
    """Counts the coloured pixels of the fidelity picture: an independent way to the same figures."""
    made = pictures.generate(PHOTO, MASK, 7, gemini=True)
    for data, metrics in ((made.flux_viz, made.metrics), (made.gemini_viz, made.metrics_gemini)):
        assert data is not None
        assert metrics is not None
        pixels = rgb(data)
        counts = [
            int((np.abs(pixels - colour).max(axis=2) < 45)[130:, 80:240].sum()) for colour in (KEPT, MISSING, OVERGROWN)
        ]
        kept, missing, overgrown = counts
        assert abs(kept / (kept + missing) - metrics.recall) < 0.1
        assert abs(kept / (kept + overgrown) - metrics.precision) < 0.1


def test_an_empty_mask_leaves_the_photo_alone() -> None:
    made = pictures.generate(PHOTO, pictures.empty_mask(PHOTO), 7, gemini=True)
    assert not changed(made.flux).any()
    assert made.metrics == pictures.Fidelity(precision=0, recall=0, iou=0, growth_ratio=0)


def test_a_full_mask_is_filled() -> None:
    made = pictures.generate(PHOTO, pictures.full_mask(PHOTO), 7, gemini=False)
    assert made.metrics.recall > 0.9
    assert made.metrics.precision == 1


def test_another_size_is_refused() -> None:
    with pytest.raises(pictures.PictureError, match="319x240 but the picture is 320x240"):
        pictures.generate(PHOTO, pictures.off_by_one(MASK), 7, gemini=False)


@given(region=arrays.arrays(np.bool_, st.tuples(st.integers(1, 40), st.integers(1, 40))), seed=st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_any_mask_can_be_drawn(region: np.ndarray, seed: int) -> None:
    out = io.BytesIO()
    Image.fromarray(region.astype(np.uint8) * 255).save(out, "PNG")
    photo = io.BytesIO()
    Image.new("RGB", region.shape[::-1], (190, 140, 110)).save(photo, "PNG")
    made = pictures.generate(photo.getvalue(), out.getvalue(), seed, gemini=True)
    assert Image.open(io.BytesIO(made.flux)).size == region.shape[::-1]
    assert (made.metrics.recall > 0) == region.any()


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_the_metrics_are_what_a_pixel_by_pixel_count_gives(data: st.DataObject) -> None:
    shape = data.draw(st.tuples(st.integers(1, 9), st.integers(1, 9)))
    wanted, made = (data.draw(arrays.arrays(np.bool_, shape)) for _ in range(2))
    true_positive = false_positive = false_negative = 0
    for a, b in zip(wanted.ravel().tolist(), made.ravel().tolist(), strict=True):
        true_positive += a and b
        false_positive += b and not a
        false_negative += a and not b

    def ratio(part: int, whole: int) -> float:
        return round(part / whole, 4) if whole else 0.0

    metrics = compare(wanted, made)
    assert metrics.precision == ratio(true_positive, true_positive + false_positive)
    assert metrics.recall == ratio(true_positive, true_positive + false_negative)
    assert metrics.iou == ratio(true_positive, true_positive + false_positive + false_negative)
    assert metrics.growth_ratio == ratio(true_positive + false_positive, true_positive + false_negative)


def test_a_stroke_changes_the_jewellery_there() -> None:
    stroke = pictures.BrushStroke([(0.1, 0.2), (0.2, 0.2)], "add", 12)
    made = pictures.generate(PHOTO, pictures.paint_strokes(MASK, [stroke]), 7, gemini=False)
    assert changed(made.flux)[42:54, 32:64].mean() > 0.4


def test_it_does_not_depend_on_chance_around_it() -> None:
    first = pictures.generate(PHOTO, MASK, 7, gemini=True)
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002  # the global state is what must have no effect
    assert pictures.generate(PHOTO, MASK, 7, gemini=True) == first
