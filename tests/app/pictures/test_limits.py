"""What costs minutes to look at is refused in milliseconds; what honest programs write passes."""

import io
import struct
import time
import zlib
from collections.abc import Callable

import pytest
from PIL import Image

from app.errors.request import InvalidImageError
from app.pictures.limits import MAX_PARTS, MAX_PIECES, MAX_SCANS, excess
from app.pictures.photo import inspect, upright_jpeg
from app.pictures.result_checks import BadResultError, check_cutout, check_fidelity

SIZE = (256, 192)
SCAN = b"\xff\xda"


def saved(kind: str = "JPEG", mode: str = "RGB", **options: object) -> bytes:
    out = io.BytesIO()
    Image.effect_noise(SIZE, 60).convert(mode).save(out, kind, **options)
    return out.getvalue()


BASELINE, PROGRESSIVE, PNG = saved(), saved(progressive=True), saved("PNG")


def with_scans(more: int, data: bytes = PROGRESSIVE) -> bytes:
    """The same JPEG with its last scan again and again."""
    last = data[data.rindex(SCAN) : -2]
    return data[:-2] + last * more + data[-2:]


def with_segments(*segments: tuple[int, bytes], data: bytes = BASELINE) -> bytes:
    """The same JPEG with more segments behind its start."""
    more = b"".join(bytes([0xFF, kind]) + (len(body) + 2).to_bytes(2) + body for kind, body in segments)
    return data[:2] + more + data[2:]


def chunk(kind: bytes, body: bytes = b"") -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def with_chunks(*chunks: bytes, before: bytes = b"IDAT") -> bytes:
    at = PNG.index(before) - 4
    return PNG[:at] + b"".join(chunks) + PNG[at:]


PROFILE = chunk(b"iCCP", b"p\0\0" + zlib.compress(b"\0" * 1_000_000))
TEXT = chunk(b"zTXt", b"k\0\0" + zlib.compress(b"a" * 1_000_000))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (with_scans(MAX_SCANS), "more than 50 scans"),
        (with_scans(3_000), "more than 50 scans"),
        (with_segments((0xE1, b"Exif\0\0" + SCAN * 90), data=with_scans(MAX_SCANS)), "more than 50 scans"),
        # Tables between the scans, so that the search for scans itself has an end.
        (PROGRESSIVE[:-2] + (b"\xff\xfe\0\x02" * 100 + b"\xff\xfe\0\x04" + SCAN) * 500 + PROGRESSIVE[-2:], "50 scans"),
        (with_segments(*[(0xE5, b"")] * MAX_PARTS), "more than 200 parts before its picture"),
        (BASELINE[:2] + b"\xff" * 300_000 + BASELINE[2:], "more than 200 parts before its picture"),
        (BASELINE[:2] + b"\xff\0" * 300_000 + BASELINE[2:], "more than 200 parts before its picture"),
        (BASELINE[:2] + b"\xff\xe5\0\x02" + b"\0" * 300_000 + BASELINE[2:], "300000 bytes between its parts"),
        (with_segments((0xDB, b"\0" * 60_000)), "a table of 60002 bytes"),
        (with_segments((0xC0, b"\x08" + b"\1" * 60_000)), "a table of 60003 bytes"),
        (with_chunks(*[chunk(b"abCd")] * MAX_PARTS), "more than 200 parts beside its picture"),
        (with_chunks(*[chunk(b"abCd")] * MAX_PARTS, before=b"IEND"), "more than 200 parts beside its picture"),
        (with_chunks(*[chunk(b"IDAT")] * MAX_PIECES), "more than 20000 parts"),
        (with_chunks(PROFILE, PROFILE), "several colour profiles"),
    ],
)
def test_what_nobody_makes_is_refused_before_it_is_parsed(data: bytes, says: str) -> None:
    began = time.process_time()
    for check in (inspect, upright_jpeg):
        with pytest.raises(InvalidImageError, match=says):
            check(data)
    service_check: Callable[[bytes], None] = check_fidelity
    if data.startswith(b"\x89PNG"):
        service_check = lambda cutout: check_cutout(cutout, SIZE)  # noqa: E731 - the other of two
    with pytest.raises(BadResultError, match=says):
        service_check(data)
    assert time.process_time() - began < 0.5


@pytest.mark.parametrize(
    "data",
    [
        BASELINE,
        PROGRESSIVE,
        with_scans(30),
        PNG,
        saved("PNG", "RGBA"),
        with_segments(*[(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + SCAN * 30_000)] * 100, data=PROGRESSIVE),
        PROGRESSIVE + SCAN * 100_000,  # a phone's video behind the picture
        BASELINE[:2] + b"\xff\xff\xff" + BASELINE[2:],
        BASELINE[:2] + b"\xff\xe5\0\x02" + b"\0" * 100 + BASELINE[2:],
        with_chunks(*[TEXT] * 8),
        with_chunks(PROFILE),
    ],
    ids=range(11),
)
def test_what_honest_programs_write_passes(data: bytes) -> None:
    assert excess(data) is None
    inspect(data)
    upright_jpeg(data)


def test_a_baseline_jpeg_in_several_scans_is_counted_too() -> None:
    """One that says in its first scan that more will follow."""
    at = BASELINE.index(SCAN)
    alone = SCAN + b"\0\x08\x01\x01\0\0\x3f\0"  # the first of three components
    assert excess(BASELINE[:at] + alone * 60 + BASELINE[-2:]) == "more than 50 scans"


def test_texts_that_unpack_to_more_than_eight_megabytes_are_refused() -> None:
    with pytest.raises(InvalidImageError):
        inspect(with_chunks(*[TEXT] * 9))


@pytest.mark.parametrize("data", [BASELINE, PROGRESSIVE, PNG])
def test_half_a_file_is_left_to_the_decoder(data: bytes) -> None:
    for end in range(len(data)) if len(data) < 3_000 else [*range(700), len(data) // 2, len(data) - 1]:
        assert excess(data[:end]) is None
