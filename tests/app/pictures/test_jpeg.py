"""Of a JPEG stays what shows; what is missing, and what costs minutes to look at, is named at once."""

import io
import time

import pytest
from PIL import Image

from app.errors.request import InvalidImageError
from app.pictures.jpeg import MAX_SCANS, strip_jpeg
from app.pictures.photo import accept, upright_jpeg
from app.pictures.picture_file import MAX_PARTS, MAX_PROFILE_BYTES, CutOffError, StructureError
from scenarios.stories.profiles import rgb_profile
from tests.app.pictures.made import (
    XMP_TURNED,
    exif_segment,
    exif_tiff,
    noise,
    saved,
    segment,
    shown,
    with_segments,
)

SCAN = b"\xff\xda"
SECRET = b"where I live: 52.516 N, 13.377 E"
BASELINE = saved(noise(), "JPEG")
KINDS = {
    "baseline": BASELINE,
    "progressive": saved(noise(), "JPEG", progressive=True),
    "grey": saved(noise("L"), "JPEG"),
    "CMYK": saved(noise("CMYK"), "JPEG"),
    "colours undivided": saved(noise(), "JPEG", subsampling=0),
    "restarts in each row": saved(noise(), "JPEG", restart_marker_rows=1),
    "restarts in each block": saved(noise(), "JPEG", restart_marker_blocks=1),
    "progressive with restarts": saved(noise(), "JPEG", progressive=True, restart_marker_rows=1),
    "optimised": saved(noise(), "JPEG", optimize=True),
}
PROGRESSIVE = KINDS["progressive"]


def with_scans(more: int, data: bytes = PROGRESSIVE) -> bytes:
    """The same JPEG with its last scan again and again."""
    last = data[data.rindex(SCAN) : -2]
    return data[:-2] + last * more + data[-2:]


def between_scans(data: bytes, more: bytes) -> bytes:
    """The same progressive JPEG with something between its last two scans."""
    at = data.rindex(b"\xff\xc4")
    return data[:at] + more + data[at:]


# ---------------------------------------------------------------- what goes and what stays
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_picture_alone_keeps_its_very_bytes(kind: str) -> None:
    assert strip_jpeg(KINDS[kind]).data is KINDS[kind]


THUMBNAIL = saved(noise(size=(32, 24)), "JPEG")
BESIDE = {
    "EXIF": exif_segment(exif_tiff((0x8825, 4, 1, 26)) + SECRET + THUMBNAIL),
    "EXIF twice": exif_segment(exif_tiff() + SECRET) * 2,
    "XMP": segment(0xE1, XMP_TURNED + SECRET),
    "XMP that goes on": segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + SECRET + SCAN * 30_000) * 40,
    "a comment": segment(0xFE, SECRET),
    "IPTC": segment(0xED, b"Photoshop 3.0\0" + SECRET),
    "further pictures": segment(0xE2, b"MPF\0II*\0" + SECRET),
    "FlashPix": segment(0xE2, b"FPXR\0" + SECRET),
    "JFIF's thumbnail": segment(0xE0, b"JFXX\0\x10" + SECRET),
    "a maker's notes": segment(0xE4, SECRET) + segment(0xEA, SECRET),
    "an origin": segment(0xEB, b"JP\0\0" + SECRET),
    "300 fill bytes": b"\xff" * 300,
    "a million fill bytes": b"\xff" * 1_000_000,
    "bytes between the parts": segment(0xE5, b"") + SECRET * 10_000,
    "restarts before the picture": b"\xff\xd0\xff\xd7\xff\x01",
}


@pytest.mark.parametrize("name", BESIDE)
def test_what_does_not_show_is_gone(name: str) -> None:
    data = with_segments(BASELINE, BESIDE[name])
    kept = strip_jpeg(data)
    assert kept.data == BASELINE
    assert kept.orientation == 1


BEHIND = {
    "a note": SECRET,
    "a second picture": BASELINE + SECRET,
    "a video": b"\0\0\0\x18ftypmp42" + SECRET + SCAN * 100_000,
    "a phone's trailer": b"\0\0\x01\x0a" + SECRET + b"SEFHjSEFT",
    "zeros": bytes(100_000),
}


@pytest.mark.parametrize("name", BEHIND)
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_appended_is_gone(kind: str, name: str) -> None:
    assert strip_jpeg(KINDS[kind] + BEHIND[name]).data == KINDS[kind]


@pytest.mark.parametrize(
    "more", [segment(0xFE, SECRET), segment(0xE1, SECRET) * 3, b"\xff" * 50 + segment(0xFE, SECRET)]
)
def test_what_stands_between_two_scans_is_gone(more: bytes) -> None:
    kept = strip_jpeg(between_scans(PROGRESSIVE, more)).data
    assert SECRET not in kept
    assert shown(kept).tobytes() == shown(PROGRESSIVE).tobytes()


def test_thumbnails_inside_what_stays_are_cut_off() -> None:
    jfif = segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\x02\x02" + SECRET)
    adobe = segment(0xEE, b"Adobe\0\x64\0\0\0\0\x01" + SECRET)
    kept = strip_jpeg(with_segments(BASELINE[:2] + BASELINE[20:], jfif, adobe))
    assert SECRET not in kept.data
    assert kept.data == with_segments(BASELINE, segment(0xEE, b"Adobe\0\x64\0\0\0\0\x01"))[:2] + (
        BASELINE[2:20] + segment(0xEE, b"Adobe\0\x64\0\0\0\0\x01") + BASELINE[20:]
    )


@pytest.mark.parametrize("padding", [0, 200_000, 2_000_000])
def test_a_profile_stays_whole_wherever_it_stands(padding: int) -> None:
    profile = rgb_profile(padding=padding)
    data = saved(noise(), "JPEG", icc_profile=profile)
    assert strip_jpeg(data).data is data
    at = data.index(b"\xff\xe2")
    tables, scan = data.index(b"\xff\xdb", at), data.rindex(SCAN)
    for file in (data, data[:at] + data[tables:scan] + data[at:tables] + data[scan:]):
        assert Image.open(io.BytesIO(strip_jpeg(file).data)).info["icc_profile"] == profile


def test_a_profile_that_none_is_as_large_as_is_left_out() -> None:
    data = saved(noise(), "JPEG", icc_profile=rgb_profile(padding=MAX_PROFILE_BYTES - 1000))
    assert strip_jpeg(data).data == BASELINE


# ---------------------------------------------------------------- which way up
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_of_exif_stays_the_orientation_and_nothing_else(orientation: int, order: str) -> None:
    told = exif_tiff((0x010F, 2, 4, 65), (0x0112, 3, 1, orientation), (0x8825, 4, 1, 50), order=order)
    kept = strip_jpeg(with_segments(BASELINE, exif_segment(told + SECRET)))
    assert kept.orientation == orientation
    assert SECRET not in kept.data
    exif = Image.open(io.BytesIO(kept.data)).getexif()
    assert dict(exif) == ({0x0112: orientation} if orientation > 1 else {})
    assert strip_jpeg(kept.data).data is kept.data


@pytest.mark.parametrize(
    "tiff",
    [
        *(exif_tiff((0x0112, 3, 1, value)) for value in (0, 9, 77, 65_535)),
        exif_tiff((0x0112, 4, 1, 6)),  # a long number, and two short ones: browsers take neither
        exif_tiff((0x0112, 3, 2, 6)),
        b"MM\0*\xff\xff\xff\xff",
        b"MM\0*\0\0\0\x08\xff\xff",
        b"MM\0*",
        b"XX\0*\0\0\0\x08",
        b"",
    ],
)
def test_an_orientation_that_makes_no_sense_is_none(tiff: bytes) -> None:
    assert strip_jpeg(with_segments(BASELINE, exif_segment(tiff))).orientation == 1


def test_the_first_exif_counts_and_xmp_does_not() -> None:
    first, second = (exif_segment(exif_tiff((0x0112, 3, 1, value))) for value in (3, 6))
    assert strip_jpeg(with_segments(BASELINE, segment(0xE1, XMP_TURNED), first, second)).orientation == 3


# ---------------------------------------------------------------- where it ends
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("missing", [1, 2])
@pytest.mark.parametrize("behind", [b"", SECRET, bytes(range(256)) * 200])
def test_a_picture_without_its_end_marker_is_all_there(kind: str, missing: int, behind: bytes) -> None:
    data = KINDS[kind]
    photo = accept(data[:-missing] + behind)
    assert not photo.ended
    made = upright_jpeg(photo).data
    assert SECRET not in made
    assert shown(made).size == (256, 192)
    wanted, found = (shown(file).resize((16, 12), Image.Resampling.BOX).tobytes() for file in (data, made))
    assert all(abs(one - other) < 24 for one, other in zip(wanted, found, strict=True))
    again = accept(photo.data)
    assert again.data is photo.data
    assert not again.ended


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.05, 0.3, 0.5, 0.77, 0.95])
@pytest.mark.parametrize("behind", [b"", SECRET])
def test_half_a_picture_is_refused(kind: str, share: float, behind: bytes) -> None:
    data = KINDS[kind]
    with pytest.raises(InvalidImageError, match=r"incomplete|cut off|no picture"):
        upright_jpeg(accept(data[: int(len(data) * share)] + behind))


@pytest.mark.parametrize("kind", ["baseline", "restarts in each row", "progressive", "optimised"])
@pytest.mark.parametrize("missing", [6, 20, 100])
def test_the_last_block_counts_too(kind: str, missing: int) -> None:
    with pytest.raises(InvalidImageError, match=r"incomplete|cut off"):
        upright_jpeg(accept(KINDS[kind][:-missing]))


def test_a_picture_that_is_cut_just_before_a_restart_is_refused() -> None:
    data = KINDS["restarts in each row"]
    starts = [at for at in range(len(data)) if data[at] == 0xFF and 0xD0 <= data[at + 1] <= 0xD7]
    for at in starts[3], starts[-1]:
        for end in at, at + 2:
            with pytest.raises(InvalidImageError, match="incomplete"):
                upright_jpeg(accept(data[:end]))


def test_scans_that_are_missing_are_noticed_at_once() -> None:
    starts = [at for at in range(len(PROGRESSIVE)) if PROGRESSIVE.startswith(SCAN, at)]
    for start in starts[1:]:
        with pytest.raises(CutOffError, match="cut off"):
            strip_jpeg(PROGRESSIVE[:start])


@pytest.mark.parametrize("kind", KINDS)
def test_no_beginning_of_a_file_is_anything_but_refused_with_words(kind: str) -> None:
    data = KINDS[kind]
    for end in [*range(700), *range(700, len(data) - 3, 997)]:
        try:
            strip_jpeg(data[:end])
        except StructureError as error:
            assert str(error) in {"is cut off", "has no picture in it"}  # noqa: PT017 - some beginnings pass


# ---------------------------------------------------------------- what nobody makes
@pytest.mark.parametrize(
    ("data", "says"),
    [
        (with_scans(MAX_SCANS), "more than 50 scans"),
        (with_scans(3_000), "more than 50 scans"),
        (with_segments(with_scans(MAX_SCANS), segment(0xE1, b"Exif\0\0" + SCAN * 90)), "more than 50 scans"),
        # Comments between the scans, so that the search for scans itself has an end.
        (PROGRESSIVE[:-2] + segment(0xFE, b"") * MAX_PARTS + PROGRESSIVE[-2:], "more than 20000 parts"),
        (with_segments(BASELINE, segment(0xE5, b"") * MAX_PARTS), "more than 20000 parts"),
        (with_segments(BASELINE, segment(0xDB, bytes(60_000))), "more than 32 KB of tables"),
        (with_segments(BASELINE, segment(0xC4, bytes(300)) * 200), "more than 32 KB of tables"),
        (with_segments(BASELINE, segment(0xC0, b"\x08" + b"\1" * 60_000)), "more than 32 KB of tables"),
        (BASELINE[:2] + BASELINE[-2:], "no picture"),
        (BASELINE[: BASELINE.index(SCAN)], "no picture"),
    ],
)
def test_what_nobody_makes_is_refused_before_it_is_parsed(data: bytes, says: str) -> None:
    began = time.process_time()
    with pytest.raises(InvalidImageError, match=says):
        accept(data)
    assert time.process_time() - began < 0.5


def test_a_baseline_jpeg_in_several_scans_is_counted_too() -> None:
    """One that says in its first scan that more will follow."""
    at = BASELINE.index(SCAN)
    alone = SCAN + b"\0\x08\x01\x01\0\0\x3f\0"  # the first of three components
    with pytest.raises(StructureError, match="more than 50 scans"):
        strip_jpeg(BASELINE[:at] + alone * 60 + BASELINE[-2:])


@pytest.mark.parametrize("data", [with_scans(30), with_segments(BASELINE, segment(0xE5, bytes(60_000)) * 500)])
def test_what_honest_programs_write_passes(data: bytes) -> None:
    assert upright_jpeg(accept(data)).width == 256


@pytest.mark.parametrize(("kind", "says"), [(0xC3, "of a kind"), (0xC8, "no picture")])
def test_what_is_no_picture_of_eight_bits_is_refused_for_that(kind: int, says: str) -> None:
    at = BASELINE.index(b"\xff\xc0")
    twelve_bits = BASELINE[: at + 1] + bytes([kind]) + BASELINE[at + 2 : at + 4] + b"\x0c" + BASELINE[at + 5 :]
    with pytest.raises(InvalidImageError, match=says):
        accept(twelve_bits)
