"""Files as phones and programs write them, made here: pictures, parts that are put in, profiles of other screens."""

import io
import struct
import zlib
from pathlib import Path
from random import Random
from typing import Any

import pytest
from PIL import Image, ImageDraw

from scenarios.stories.profiles import press_profile

RED, GREEN, BLUE, YELLOW = (220, 30, 30), (30, 180, 60), (40, 60, 200), (240, 220, 40)
Colour = tuple[int, int, int]
FIELD = Path(__file__).resolve().parents[4] / "shared" / "field"


def of_the_field(pattern: str) -> list[Any]:
    """Return files as users and services sent them, for a test's parameters; one that is skipped where none is."""
    absent = pytest.param(None, id="none", marks=pytest.mark.skip(reason="../shared/field is not beside this checkout"))
    return [pytest.param(path, id=path.name) for path in sorted(FIELD.glob(pattern))] or [absent]


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


def noise(mode: str = "RGB", size: tuple[int, int] = (256, 192)) -> Image.Image:
    """Nothing that could be guessed from what stands beside it."""
    dots = (size[0] // 2, size[1] // 2)
    return Image.frombytes("RGB", dots, Random(1).randbytes(3 * dots[0] * dots[1])).resize(size).convert(mode)


def saved(image: Image.Image, fmt: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, fmt, **options)
    return out.getvalue()


def shown(data: bytes) -> Image.Image:
    """What a file shows to somebody who knows nothing of turns and profiles."""
    with Image.open(io.BytesIO(data)) as image:
        return image.convert("RGB")


def colour_at(image: Image.Image, x: float, y: float) -> Colour:
    found = image.convert("RGB").getpixel((int(x * image.width), int(y * image.height)))
    assert isinstance(found, tuple)
    red, green, blue = found
    return int(red), int(green), int(blue)


def near(left: Colour, right: Colour, tolerance: int = 12) -> bool:
    return all(abs(a - b) <= tolerance for a, b in zip(left, right, strict=True))


def corner_colours(data: bytes) -> list[Colour]:
    image = Image.open(io.BytesIO(data))
    assert (image.format, image.mode) == ("JPEG", "RGB")
    return [colour_at(image, x, y) for y in (0.25, 0.75) for x in (0.25, 0.75)]


def shows_quarters(data: bytes, corners: tuple[Colour, ...] = (RED, GREEN, BLUE, YELLOW), tolerance: int = 12) -> bool:
    return all(near(*pair, tolerance) for pair in zip(corner_colours(data), corners, strict=True))


# ---------------------------------------------------------------- JPEG
def segment(kind: int, body: bytes) -> bytes:
    return bytes([0xFF, kind]) + (len(body) + 2).to_bytes(2) + body


def with_segments(data: bytes, *segments: bytes) -> bytes:
    """The same JPEG with more behind its start."""
    return data[:2] + b"".join(segments) + data[2:]


def exif_tiff(*entries: tuple[int, int, int, int], order: str = ">") -> bytes:
    """A TIFF block with these entries: tag, type, count, value."""
    mark = b"MM\0*" if order == ">" else b"II*\0"
    body = b"".join(struct.pack(f"{order}HHIHH", tag, kind, count, value, 0) for tag, kind, count, value in entries)
    return mark + struct.pack(f"{order}IH", 8, len(entries)) + body + bytes(4)


def exif_segment(tiff: bytes) -> bytes:
    return segment(0xE1, b"Exif\0\0" + tiff)


XMP_TURNED = b'http://ns.adobe.com/xap/1.0/\0<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'


# ---------------------------------------------------------------- PNG
def chunk(kind: bytes, body: bytes = b"", *, sound: bool = True) -> bytes:
    checksum = zlib.crc32(kind + body) ^ (not sound)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)


def with_chunks(data: bytes, *chunks: bytes, before: bytes = b"IDAT") -> bytes:
    at = data.index(before) - 4
    return data[:at] + b"".join(chunks) + data[at:]


def chunks_of(data: bytes) -> list[bytes]:
    """The kinds of all parts of a PNG, in order."""
    at, kinds = 8, []
    while at < len(data):
        kinds.append(data[at + 4 : at + 8])
        at += 12 + int.from_bytes(data[at : at + 4])
    return kinds


def png_header(width: int, height: int, depth: int = 8, colour: int = 2) -> bytes:
    """A PNG that claims a size and holds nothing."""
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND")


def cmyk_profile() -> bytes:
    """A press whose full cyan is L 60, a -20, b -45, and whose other inks darken it all."""
    grid = b""
    for inks in range(16):
        cyan, others = inks >> 3 & 1, (inks & 7).bit_count()
        lightness = max(0, (60 if cyan else 100) - 30 * others)
        grid += bytes([lightness * 255 // 100, 128 - 20 * cyan, 128 - 45 * cyan])
    return press_profile(grid, 2)
