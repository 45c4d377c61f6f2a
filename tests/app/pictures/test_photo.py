import io
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageDraw

from app.errors.request import InvalidImageError
from app.pictures.photo import inspect, upright_jpeg

RED, GREEN, BLUE, YELLOW = (220, 30, 30), (30, 180, 60), (40, 60, 200), (240, 220, 40)


def quarters(mode: str = "RGB", size: tuple[int, int] = (96, 64)) -> Image.Image:
    """Red, green / blue, yellow: any turn or flip moves a colour."""
    image = Image.new("RGB", size)
    draw = ImageDraw.Draw(image)
    x, y = size[0] // 2, size[1] // 2
    for colour, box in (
        (RED, (0, 0, x, y)),
        (GREEN, (x, 0, *size)),
        (BLUE, (0, y, x, size[1])),
        (YELLOW, (x, y, *size)),
    ):
        draw.rectangle(box, fill=colour)
    return image.quantize(8) if mode == "P" else image.convert(mode)


def saved(image: Image.Image, fmt: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, fmt, **options)
    return out.getvalue()


def exif(orientation: int) -> Image.Exif:
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags


def corner_colours(data: bytes) -> list[tuple[int, int, int]]:
    image = Image.open(io.BytesIO(data))
    assert (image.format, image.mode) == ("JPEG", "RGB")
    return [colour_at(image, x, y) for y in (0.25, 0.75) for x in (0.25, 0.75)]


def colour_at(image: Image.Image, x: float, y: float) -> tuple[int, int, int]:
    found = image.convert("RGB").getpixel((int(x * image.width), int(y * image.height)))
    assert isinstance(found, tuple)
    red, green, blue = found
    return int(red), int(green), int(blue)


def near(left: tuple[int, int, int], right: tuple[int, int, int], tolerance: int = 12) -> bool:
    return all(abs(a - b) <= tolerance for a, b in zip(left, right, strict=True))


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds nothing."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("fmt", "size"), [("JPEG", (96, 64)), ("PNG", (32, 32))])
def test_inspect_tells_format_and_size(fmt: str, size: tuple[int, int]) -> None:
    info = inspect(saved(quarters(size=size), fmt))
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
        (png_header(7100, 7100), "50 megapixels"),
        (png_header(11000, 11000), "50 megapixels"),
        (png_header(30000, 30000), "50 megapixels"),
        (png_header(70000, 40), "65500 pixels a side"),
    ],
)
@pytest.mark.parametrize("check", [inspect, upright_jpeg])
def test_what_is_no_photo_is_refused_by_its_header(check: Callable[[bytes], object], data: bytes, says: str) -> None:
    with pytest.raises(InvalidImageError, match=says):
        check(data)


def test_fifty_megapixels_are_taken() -> None:
    assert inspect(png_header(10_000, 5_000)).width == 10_000


@pytest.mark.parametrize(
    "data",
    [saved(quarters(size=(640, 480)), "JPEG"), saved(quarters(size=(640, 480)), "JPEG", progressive=True)]
    + [saved(quarters(mode, size=(640, 480)), "PNG") for mode in ("RGB", "RGBA", "P", "1")],
    ids=["jpeg", "progressive", "png", "rgba", "palette", "bit"],
)
def test_half_a_file_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidImageError, match="incomplete"):
        upright_jpeg(data[: len(data) * 6 // 10])


def test_a_png_with_nothing_inside_is_refused() -> None:
    with pytest.raises(InvalidImageError, match="incomplete"):
        upright_jpeg(png_header(640, 480))


@pytest.mark.parametrize("progressive", [False, True])
def test_a_plain_upright_rgb_jpeg_keeps_its_bytes(progressive: bool) -> None:
    data = saved(quarters(), "JPEG", progressive=progressive, exif=exif(1))
    result = upright_jpeg(data)
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
    result = upright_jpeg(saved(quarters(), fmt, exif=exif(orientation)))
    assert (result.width, result.height) == ((64, 96) if orientation >= 5 else (96, 64))
    assert all(near(*pair) for pair in zip(corner_colours(result.data), corners, strict=True))
    again = Image.open(io.BytesIO(result.data))
    assert again.size == (result.width, result.height)
    assert again.getexif().get(0x0112, 1) == 1


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_strange_exif_is_ignored() -> None:
    for data in (
        saved(quarters(), "JPEG", exif=exif(77)),
        saved(quarters(), "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff"),
    ):
        assert upright_jpeg(data).data is data


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_png_modes_keep_their_colours(mode: str) -> None:
    found = corner_colours(upright_jpeg(saved(quarters(mode), "PNG")).data)
    assert all(near(*pair) for pair in zip(found, (RED, GREEN, BLUE, YELLOW), strict=True))


@pytest.mark.parametrize(("fmt", "mode"), [("JPEG", "L"), ("PNG", "L"), ("PNG", "LA"), ("PNG", "1"), ("PNG", "I;16")])
def test_grey_modes_keep_their_shades(fmt: str, mode: str) -> None:
    shades = Image.linear_gradient("L").resize((64, 256))
    image = shades.convert("I").point(lambda v: v * 257).convert("I;16") if mode == "I;16" else shades.convert(mode)
    result = Image.open(io.BytesIO(upright_jpeg(saved(image, fmt)).data))
    rows = result.resize((1, 4), Image.Resampling.BOX)
    averages = [colour_at(rows, 0, row / 4) for row in range(4)]
    for shade, expected in zip(averages, (32, 96, 160, 223), strict=True):
        assert near(shade, (expected, expected, expected))


def test_transparency_becomes_white() -> None:
    clear = quarters("RGBA")
    clear.putalpha(0)
    keyed = quarters("P")
    palette_red = keyed.getpixel((5, 5))
    assert corner_colours(upright_jpeg(saved(clear, "PNG")).data)[0] == (255, 255, 255)
    found = corner_colours(upright_jpeg(saved(keyed, "PNG", transparency=palette_red)).data)
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
        assert all(near(*pair, 25) for pair in zip(corner_colours(upright_jpeg(one).data), expected, strict=True))


def test_a_colour_profile_is_kept() -> None:
    data = saved(quarters(), "PNG", icc_profile=b"a profile")
    assert Image.open(io.BytesIO(upright_jpeg(data).data)).info["icc_profile"] == b"a profile"


def test_a_jpeg_with_further_pictures_inside_is_a_jpeg() -> None:
    data = saved(quarters(), "MPO", save_all=True, append_images=[quarters(size=(40, 40))])
    assert Image.open(io.BytesIO(data)).format == "MPO"
    assert inspect(data).format == "JPEG"
    result = upright_jpeg(data)
    assert Image.open(io.BytesIO(result.data)).format == "JPEG"
    assert all(near(*pair) for pair in zip(corner_colours(result.data), (RED, GREEN, BLUE, YELLOW), strict=True))


MEASURE = """
import sys
from app.pictures.photo import upright_jpeg

def peak():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]) * 1024

data = sys.stdin.buffer.read()
before = peak()
upright = upright_jpeg(data)
print(peak() - before - len(upright.data), upright.width, upright.height)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux alone tells a process's peak there")
@pytest.mark.parametrize(
    ("mode", "fmt", "turned", "bytes_a_pixel"),
    [
        ("RGB", "JPEG", True, 8),
        ("RGB", "PROGRESSIVE", True, 10),
        ("RGB", "JPEG", False, 0.3),
        ("CMYK", "JPEG", False, 8),
        ("L", "JPEG", True, 5),
        ("RGBA", "PNG", True, 8),
        ("P", "PNG", False, 8),
        ("I;16", "PNG", False, 8),
    ],
)
def test_no_more_than_two_copies_of_a_photo_are_in_memory(
    mode: str, fmt: str, turned: bool, bytes_a_pixel: float
) -> None:
    """As the peak of a process of its own; a third copy of this one would be 22 MB."""
    photo = Image.linear_gradient("L").resize((2800, 2000))
    photo = photo.convert("I").convert("I;16") if mode == "I;16" else photo.convert("RGB").convert(mode)
    options: dict[str, object] = {"progressive": True, "subsampling": 0} if fmt == "PROGRESSIVE" else {}
    fmt = "JPEG" if fmt == "PROGRESSIVE" else fmt
    options |= {"transparency": 0} if mode == "P" else {"compress_level": 1} if fmt == "PNG" else {}
    data = saved(photo, fmt, **options, **({"exif": exif(6)} if turned else {}))
    command = [sys.executable, "-c", MEASURE]
    answer = subprocess.run(command, input=data, capture_output=True, check=True, timeout=60).stdout.split()
    assert [int(side) for side in answer[1:]] == ([2000, 2800] if turned else [2800, 2000])
    assert int(answer[0]) < bytes_a_pixel * photo.width * photo.height + 12_000_000
