import io

import numpy as np
import pytest
from PIL import Image

from fakes import pictures


def alpha(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(pictures.remove_background(data))))[:, :, 3]


@pytest.mark.parametrize("seed", range(6))
def test_coming_closer_fills_more_of_the_picture(seed: int) -> None:
    levels = [pictures.zoom_level(pictures.portrait(400, 300, seed, zoom=zoom)) for zoom in (0.6, 1.0, 1.6, 2.4)]
    assert levels == sorted(levels)
    # Both answers of a threshold of 0.5 can be had.
    assert levels[1] < 0.45
    assert levels[2] > 0.5


def test_the_opaque_share_of_a_cut_out_counts() -> None:
    image = Image.new("RGBA", (40, 40), (90, 90, 90, 0))
    image.paste((200, 150, 120, 255), (0, 0, 10, 40))
    out = io.BytesIO()
    image.save(out, "PNG")
    assert pictures.zoom_level(out.getvalue()) == 0.25


def test_a_grey_picture_has_a_level_too() -> None:
    out = io.BytesIO()
    Image.open(io.BytesIO(pictures.portrait(400, 300, seed=1))).convert("L").save(out, "JPEG")
    assert 0.15 < pictures.zoom_level(out.getvalue()) < 0.8


@pytest.mark.parametrize("seed", range(6))
def test_the_person_stays_and_the_wall_goes(seed: int) -> None:
    cover = alpha(pictures.portrait(400, 300, seed))
    assert cover.shape == (300, 400)
    assert cover[110:200, 180:220].min() > 240
    assert cover[:150, :60].max() < 15
    assert cover[:150, 340:].max() < 15


def test_the_edge_is_soft() -> None:
    cover = alpha(pictures.portrait(400, 300, seed=1))
    between = ((cover > 20) & (cover < 235)).mean()
    assert 0.002 < between < 0.1


def test_what_was_transparent_stays_so() -> None:
    person = Image.open(io.BytesIO(pictures.portrait(200, 150, seed=1))).convert("RGBA")
    person.paste((0, 0, 0, 0), (100, 0, 200, 150))
    out = io.BytesIO()
    person.save(out, "PNG")
    cover = alpha(out.getvalue())
    assert cover[:, 100:].max() == 0
    assert cover[60:100, 92:98].min() > 200


def test_the_same_picture_gives_the_same_bytes() -> None:
    data = pictures.portrait(200, 150, seed=4)
    assert pictures.remove_background(data) == pictures.remove_background(data)
    assert pictures.zoom_level(data) == pictures.zoom_level(data)
