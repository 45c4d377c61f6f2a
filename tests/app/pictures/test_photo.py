import io
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from app.errors.request import InvalidImageError
from app.pictures.photo import accept, upright_jpeg
from scenarios.stories.profiles import rgb_profile
from tests.app.pictures.made import (
    BLUE,
    GREEN,
    RED,
    YELLOW,
    colour_at,
    corner_colours,
    near,
    png_header,
    quarters,
    saved,
    shows_quarters,
)


def made_of(data: bytes) -> bytes:
    """What becomes of a photo."""
    return upright_jpeg(accept(data)).data


def exif(orientation: int) -> Image.Exif:
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags


@pytest.mark.parametrize(("fmt", "size"), [("JPEG", (96, 64)), ("PNG", (32, 32))])
def test_a_photo_s_format_and_size_are_told(fmt: str, size: tuple[int, int]) -> None:
    info = accept(saved(quarters(size=size), fmt))
    assert (info.format, info.width, info.height) == (fmt, *size)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"hello, I am text", "not a JPEG or PNG"),
        (b"<!doctype html><html>", "HTML"),
        (b"\0\0\0\x18ftypheic", "HEIC"),
        (saved(quarters(), "GIF"), "GIF"),
        (saved(quarters(), "WEBP"), "WebP"),
        (saved(quarters(size=(1, 1)), "PNG"), "1 x 1"),
        (saved(quarters(size=(31, 400)), "JPEG"), "31 x 400"),
        (png_header(8050, 8050), "64 megapixels"),
        (png_header(11000, 11000), "64 megapixels"),
        (png_header(30000, 30000), "64 megapixels"),
        (png_header(2**31 - 1, 2**31 - 1), "64 megapixels"),
        (png_header(70000, 40), "65500 pixels a side"),
    ],
)
def test_what_is_no_photo_is_refused_by_its_header(data: bytes, says: str) -> None:
    with pytest.raises(InvalidImageError, match=says):
        accept(data)


@pytest.mark.parametrize("size", [(8160, 6144), (9248, 6936), (12_000, 5_000)])
def test_what_phones_of_64_megapixels_write_is_taken(size: tuple[int, int]) -> None:
    photo = accept(png_header(*size))
    assert (photo.width, photo.height) == size


def test_a_png_with_nothing_inside_is_refused() -> None:
    with pytest.raises(InvalidImageError, match="incomplete"):
        upright_jpeg(accept(png_header(640, 480)))


@pytest.mark.parametrize("progressive", [False, True])
def test_a_plain_upright_rgb_jpeg_keeps_its_bytes(progressive: bool) -> None:
    data = saved(quarters(), "JPEG", progressive=progressive)
    result = upright_jpeg(accept(data))
    assert result.data is data
    assert (result.width, result.height) == (96, 64)


@pytest.mark.parametrize(
    ("orientation", "corners"),
    [
        (2, [GREEN, RED, YELLOW, BLUE]),
        (3, [YELLOW, BLUE, GREEN, RED]),
        (4, [BLUE, YELLOW, RED, GREEN]),
        (5, [RED, BLUE, GREEN, YELLOW]),
        (6, [BLUE, RED, YELLOW, GREEN]),
        (7, [YELLOW, GREEN, BLUE, RED]),
        (8, [GREEN, YELLOW, RED, BLUE]),
    ],
)
@pytest.mark.parametrize("fmt", ["JPEG", "PNG"])
def test_exif_rotation_is_applied_once(fmt: str, orientation: int, corners: list[tuple[int, int, int]]) -> None:
    result = upright_jpeg(accept(saved(quarters(), fmt, exif=exif(orientation))))
    assert (result.width, result.height) == ((64, 96) if orientation >= 5 else (96, 64))
    assert all(near(*pair) for pair in zip(corner_colours(result.data), corners, strict=True))
    again = Image.open(io.BytesIO(result.data))
    assert again.size == (result.width, result.height)
    assert again.getexif().get(0x0112, 1) == 1


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_png_modes_keep_their_colours(mode: str) -> None:
    assert shows_quarters(made_of(saved(quarters(mode), "PNG")))


@pytest.mark.parametrize(("fmt", "mode"), [("JPEG", "L"), ("PNG", "L"), ("PNG", "LA"), ("PNG", "1"), ("PNG", "I;16")])
def test_grey_modes_keep_their_shades(fmt: str, mode: str) -> None:
    shades = Image.linear_gradient("L").resize((64, 256))
    image = shades.convert("I").point(lambda v: v * 257).convert("I;16") if mode == "I;16" else shades.convert(mode)
    result = Image.open(io.BytesIO(made_of(saved(image, fmt))))
    rows = result.resize((1, 4), Image.Resampling.BOX)
    averages = [colour_at(rows, 0, row / 4) for row in range(4)]
    for shade, expected in zip(averages, (32, 96, 160, 223), strict=True):
        assert near(shade, (expected, expected, expected))


def test_transparency_becomes_white() -> None:
    clear = quarters("RGBA")
    clear.putalpha(0)
    keyed = quarters("P")
    palette_red = keyed.getpixel((5, 5))
    assert corner_colours(made_of(saved(clear, "PNG")))[0] == (255, 255, 255)
    found = corner_colours(made_of(saved(keyed, "PNG", transparency=palette_red)))
    assert near(found[0], (255, 255, 255))
    assert near(found[1], GREEN)


def test_cmyk_is_read_as_its_writer_meant_it() -> None:
    picture = quarters("CMYK")
    expected = list(corner_colours(saved(picture.convert("RGB"), "JPEG")))
    by_adobe = saved(picture, "JPEG", quality=95)
    # The same values written straight, without Adobe's marker: what other programs write.
    data = saved(ImageChops.invert(picture), "JPEG", quality=95)
    at = data.index(b"\xff\xee")
    plain = data[:at] + data[at + 2 + int.from_bytes(data[at + 2 : at + 4]) :]
    for one in (by_adobe, plain):
        assert all(near(*pair, 25) for pair in zip(corner_colours(made_of(one)), expected, strict=True))


def test_a_jpeg_with_further_pictures_inside_is_a_jpeg() -> None:
    data = saved(quarters(), "MPO", save_all=True, append_images=[quarters(size=(40, 40))])
    assert Image.open(io.BytesIO(data)).format == "MPO"
    assert accept(data).format == "JPEG"
    made = made_of(data)
    assert Image.open(io.BytesIO(made)).format == "JPEG"
    assert shows_quarters(made)
    assert len(made) < len(data) * 0.7


MEASURE = """
import sys
from app.pictures.photo import accept, upright_jpeg
from app.process.memory import give_back_freed_memory

def peak():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]) * 1024

give_back_freed_memory()  # as a worker does
data = sys.stdin.buffer.read()
photo = accept(data)
before = peak()
upright = upright_jpeg(photo)
print(peak() - before - len(upright.data), upright.width, upright.height)
"""


AGAIN = pytest.mark.long("one more kind of photo, in a process of its own")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux alone tells a process's peak there")
@pytest.mark.parametrize(
    ("mode", "fmt", "turned", "bytes_a_pixel"),
    [
        ("RGB", "JPEG", True, 8),
        pytest.param("RGB", "PROGRESSIVE", True, 10, marks=AGAIN),
        pytest.param("RGB", "JPEG", False, 0.3, marks=AGAIN),
        pytest.param("RGB", "P3", False, 5, marks=AGAIN),
        ("RGB", "P3", True, 8),
        pytest.param("RGB", "ENDLESS", False, 5, marks=AGAIN),
        pytest.param("CMYK", "JPEG", False, 8, marks=AGAIN),
        pytest.param("L", "JPEG", True, 5, marks=AGAIN),
        ("RGBA", "PNG", True, 8),
        pytest.param("P", "PNG", False, 8, marks=AGAIN),
        pytest.param("I;16", "PNG", False, 8, marks=AGAIN),
    ],
)
def test_no_more_than_two_copies_of_a_photo_are_in_memory(
    mode: str, fmt: str, turned: bool, bytes_a_pixel: float
) -> None:
    """As the peak of a process of its own; a third copy of this one would be 22 MB."""
    photo = Image.linear_gradient("L").resize((2800, 2000))
    photo = photo.convert("I").convert("I;16") if mode == "I;16" else photo.convert("RGB").convert(mode)
    options: dict[str, object] = {"progressive": True, "subsampling": 0} if fmt == "PROGRESSIVE" else {}
    options |= {"icc_profile": rgb_profile()} if fmt == "P3" else {}
    last = -2 if fmt == "ENDLESS" else None
    fmt = "PNG" if fmt == "PNG" else "JPEG"
    options |= {"transparency": 0} if mode == "P" else {"compress_level": 1} if fmt == "PNG" else {}
    data = saved(photo, fmt, **options, **({"exif": exif(6)} if turned else {}))[:last]
    command = [sys.executable, "-c", MEASURE]
    answer = subprocess.run(command, input=data, capture_output=True, check=True, timeout=60).stdout.split()
    assert [int(side) for side in answer[1:]] == ([2000, 2800] if turned else [2800, 2000])
    assert int(answer[0]) < bytes_a_pixel * photo.width * photo.height + 12_000_000
