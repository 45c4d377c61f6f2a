import io

import pytest
from hypothesis import given, settings, strategies as st
from PIL import Image

from fakes import pictures


def jpeg(width: int, height: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), (200, 30, 60)).save(out, "JPEG")
    return out.getvalue()


@pytest.mark.parametrize(
    ("original", "limit", "expected"),
    [
        ((4000, 3000), 1536, (1536, 1152)),
        ((3000, 4000), 1536, (1152, 1536)),
        ((1536, 10), 1536, (1536, 10)),
        ((800, 600), 1536, (800, 600)),
        ((2000, 3), 100, (100, 1)),
    ],
)
def test_sizes(original: tuple[int, int], limit: int, expected: tuple[int, int]) -> None:
    resized = pictures.resize(jpeg(*original), limit)
    assert (resized.original_size, resized.new_size) == (original, expected)
    assert Image.open(io.BytesIO(resized.data)).size == expected


@given(width=st.integers(1, 300), height=st.integers(1, 300), limit=st.integers(1, 400))
@settings(max_examples=60, deadline=None)
def test_the_ratio_is_kept_and_nothing_grows(width: int, height: int, limit: int) -> None:
    new_width, new_height = pictures.resize(jpeg(width, height), limit).new_size
    assert max(new_width, new_height) == min(limit, max(width, height))
    scale = max(new_width, new_height) / max(width, height)
    assert abs(new_width - width * scale) <= 1
    assert abs(new_height - height * scale) <= 1


def test_a_limit_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="max_dimension is 0"):
        pictures.resize(jpeg(4, 4), 0)
