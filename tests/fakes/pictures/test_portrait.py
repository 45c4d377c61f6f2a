import io

import numpy as np
import pytest
from PIL import Image

from fakes import pictures


@pytest.mark.parametrize("size", [(4000, 3000), (3000, 4000)])
def test_twelve_megapixels_are_about_five_megabytes(size: tuple[int, int]) -> None:
    data = pictures.portrait(*size, seed=1)
    image = Image.open(io.BytesIO(data))
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", size)
    assert 4_700_000 < len(data) < 5_300_000


@pytest.mark.parametrize("size", [(32, 32), (640, 480), (33, 700), (1, 1)])
def test_any_size_is_drawn(size: tuple[int, int]) -> None:
    assert Image.open(io.BytesIO(pictures.portrait(*size, seed=0))).size == size


def test_a_seed_is_a_person() -> None:
    assert pictures.portrait(200, 150, seed=3) == pictures.portrait(200, 150, seed=3)
    assert len({pictures.portrait(200, 150, seed=seed) for seed in range(10)}) == 10


def test_there_is_a_person_in_front_of_a_wall() -> None:
    pixels = np.asarray(Image.open(io.BytesIO(pictures.portrait(400, 300, seed=2))), np.float64)
    wall, face = pixels[5:60, 5:60], pixels[110:170, 180:220]
    assert np.abs(wall.mean(axis=(0, 1)) - face.mean(axis=(0, 1))).max() > 30
    # A face has features, a wall has not.
    assert face.std(axis=(0, 1)).max() > 1.5 * wall.std(axis=(0, 1)).max()


def test_the_noise_is_that_of_a_sensor() -> None:
    wall = np.asarray(Image.open(io.BytesIO(pictures.portrait(1600, 1200, seed=2))).convert("L"), np.float64)[:64, :64]
    assert 3 < (wall[:, 1:] - wall[:, :-1]).std() / np.sqrt(2) < 12


@pytest.mark.parametrize("size", [(800, 600), (600, 800)])
@pytest.mark.parametrize("zoom", [0.7, 1.0, 1.8])
def test_the_necklace_points_lie_on_skin(size: tuple[int, int], zoom: float) -> None:
    image = Image.open(io.BytesIO(pictures.portrait(*size, seed=1, zoom=zoom)))
    for x, y in pictures.necklace_points(*size, zoom)[1:4]:
        red, _, blue = np.asarray(image, np.int32)[round(y * (size[1] - 1)), round(x * (size[0] - 1))]
        assert red > blue + 30


@pytest.mark.parametrize(("width", "height", "zoom"), [(0, 5, 1.0), (5, -1, 1.0), (5, 5, 0.0)])
def test_what_cannot_be_drawn_is_refused(width: int, height: int, zoom: float) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        pictures.portrait(width, height, seed=1, zoom=zoom)
