"""What becomes of a photo is what a browser shows of it, however its file says so."""

from io import BytesIO

import pytest
from PIL import Image, ImageChops, ImageStat

from app.pictures.photo import accept, upright_jpeg
from scenarios.photos import ENCODINGS
from scenarios.stories.drawn import photo_bytes, shown
from scenarios.stories.notes import NOTE
from tests.daily import every

MOST = 5
"""Of 255, in the mean of a colour: what JPEG, palettes and profiles of eight bits round away."""


@pytest.mark.parametrize("name", every(31, ENCODINGS, f"one more of {len(ENCODINGS)} files"))
def test_a_photo_is_what_a_browser_shows_of_its_file(name: str) -> None:
    with Image.open(BytesIO(upright_jpeg(accept(photo_bytes(name))).data)) as seen:
        off = ImageChops.difference(seen.convert("RGB"), shown(name))
    assert max(ImageStat.Stat(off).mean) < MOST


@pytest.mark.parametrize("name", [name for name, encoding in ENCODINGS.items() if encoding.said == "noted"])
def test_nothing_is_kept_of_what_stands_beside_a_picture(name: str) -> None:
    posted = photo_bytes(name)
    assert posted.count(NOTE) > 8
    cut = accept(posted)
    assert NOTE not in cut.data
    assert NOTE not in upright_jpeg(cut).data
