"""What becomes of a photo is what a browser shows of it, however its file says so."""

from io import BytesIO

import pytest
from PIL import Image, ImageChops, ImageStat

from app.pictures.photo import accept, upright_jpeg
from scenarios.photos import ENCODINGS
from scenarios.stories.drawn import photo_bytes, shown

DAILY = 11
"""Which of them a day's tests look at: as no number of kinds, it goes through all that a file may say."""
MOST = 5
"""Of 255, in the mean of a colour: what JPEG, palettes and profiles of eight bits round away."""


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if place % DAILY == 0 else pytest.mark.long(f"one more of {len(ENCODINGS)} files"))
        for place, name in enumerate(ENCODINGS)
    ],
)
def test_a_photo_is_what_a_browser_shows_of_its_file(name: str) -> None:
    with Image.open(BytesIO(upright_jpeg(accept(photo_bytes(name))).data)) as seen:
        off = ImageChops.difference(seen.convert("RGB"), shown(name))
    assert max(ImageStat.Stat(off).mean) < MOST
