import numpy as np
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as arrays

from fakes.pictures.regions import depth, fill_holes, label_parts, largest_part, outlines, resample

REGION = arrays.arrays(np.bool_, st.tuples(st.integers(1, 14), st.integers(1, 14)))


def flooded(region: np.ndarray) -> list[set[tuple[int, int]]]:
    """The parts of a region by plain flooding, in the order of their first pixel."""
    left = {(int(y), int(x)) for y, x in np.argwhere(region)}
    parts = []
    while left:
        part, edge = set(), [min(left)]
        while edge:
            y, x = edge.pop()
            if (y, x) in left:
                left.discard((y, x))
                part.add((y, x))
                edge += [(y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)]
        parts.append(part)
    return parts


@given(REGION)
@settings(deadline=None)
def test_parts_are_those_of_a_flood(region: np.ndarray) -> None:
    labels, count = label_parts(region)
    parts = flooded(region)
    assert count == len(parts)
    assert (labels > 0).tolist() == region.tolist()
    for part in parts:
        assert len({int(labels[where]) for where in part}) == 1
    if parts:
        assert largest_part(region).sum() == max(map(len, parts))


@given(REGION)
@settings(deadline=None)
def test_holes_are_filled_and_nothing_else(region: np.ndarray) -> None:
    height, width = region.shape
    open_parts = [
        part for part in flooded(~region) if any(y in {0, height - 1} or x in {0, width - 1} for y, x in part)
    ]
    outside = set().union(*open_parts)
    assert {(int(y), int(x)) for y, x in np.argwhere(~fill_holes(region))} == outside


@given(REGION)
@settings(deadline=None)
def test_depth_is_the_distance_to_the_nearest_pixel_outside(region: np.ndarray) -> None:
    outside = np.argwhere(~np.pad(region, 1)) - 1
    found = depth(region, 20)
    for y, x in np.argwhere(region):
        assert abs(found[y, x] - np.hypot(*(outside - (y, x)).T).min()) < 1e-3
    assert (found[~region] == 0).all()


@given(REGION)
@settings(deadline=None)
def test_an_outline_encloses_its_part(region: np.ndarray) -> None:
    parts = sorted(flooded(fill_holes(region)), key=len, reverse=True)
    found = outlines(fill_holes(region), 3)
    assert len(found) == min(3, len(parts))
    for part, outline in zip(parts, found, strict=False):
        x, y = outline.T
        # The area by the shoelace formula: the walk has its part on the right hand.
        area = float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum() / 2)
        holes = area - len(part)
        assert holes == round(holes)
        assert holes >= 0


def test_resampling_spaces_points_evenly() -> None:
    square = np.array([(x, 0) for x in range(20)] + [(20, y) for y in range(20)], np.float32)
    square = np.concatenate((square, 20 - square))
    points = resample(square, 4)
    assert len(points) == 20
    assert np.allclose(np.hypot(*(points - np.roll(points, 1, axis=0)).T), 4)
