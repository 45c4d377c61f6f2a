"""What is known of the photos, beside the photos."""

import subprocess
import sys
from io import BytesIO

import pytest
from PIL import Image, ImageChops, ImageOps, ImageStat

from fakes.pictures import necklace_points
from scenarios.photos import PHOTOS, SIZE
from scenarios.stories.drawn import DRAWN, FAR, NEAR, photo_bytes, shown


def test_every_photo_is_drawn() -> None:
    assert set(DRAWN) == set(PHOTOS)
    assert photo_bytes("near").startswith(b"\xff\xd8\xff")


@pytest.mark.parametrize(
    "name", [*(f"turned-{held}" for held in (2, 3, 4, 5, 7, 8)), "sideways", "see-through-palette"]
)
def test_a_photo_is_drawn_so_that_others_show_it_as_it_is_meant(name: str) -> None:
    with Image.open(BytesIO(photo_bytes(name))) as opened:
        seen = ImageOps.exif_transpose(opened).convert("RGBA")
    white = Image.new("RGBA", seen.size, "white")
    off = ImageChops.difference(Image.alpha_composite(white, seen).convert("RGB"), shown(name))
    assert max(ImageStat.Stat(off).mean) < 4


@pytest.mark.parametrize(("name", "zoom"), [("near", NEAR), ("far", FAR)])
def test_the_neck_is_where_the_necklace_is_drawn(name: str, zoom: float) -> None:
    assert PHOTOS[name].neck == pytest.approx(necklace_points(*SIZE, zoom=zoom)[2], abs=1e-5)


def test_a_scenario_is_told_without_what_draws_pictures() -> None:
    script = "import sys, scenarios.scenario; print({'PIL', 'numpy', 'temporalio'} & set(sys.modules) or 'none')"
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "none"
