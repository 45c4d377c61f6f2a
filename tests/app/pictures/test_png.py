"""Of a PNG stays what shows; a part beside the picture that is broken is left out, as browsers leave it out."""

import io
import time
import zlib

import pytest
from PIL import Image

from app.errors.request import InvalidImageError
from app.pictures.photo import accept, upright_jpeg
from app.pictures.picture_file import MAX_PARTS, MAX_PROFILE_BYTES
from app.pictures.png import strip_png
from scenarios.stories.profiles import rgb_profile
from tests.app.pictures.made import (
    XMP_TURNED,
    chunk,
    chunks_of,
    exif_tiff,
    noise,
    png_header,
    quarters,
    saved,
    shown,
    shows_quarters,
    with_chunks,
)

SECRET = b"where I live: 52.516 N, 13.377 E"
PLAIN = saved(quarters(), "PNG")
PALETTE = saved(quarters("P"), "PNG", transparency=0)
GREY = saved(quarters("L"), "PNG", transparency=255)
IN_PIECES = PLAIN[:33] + b"".join(
    chunk(b"IDAT", bytes([byte])) for byte in PLAIN[41 : PLAIN.index(b"IEND") - 8]
) + chunk(b"IEND")  # fmt: skip
PROFILE = b"p\0\0" + zlib.compress(rgb_profile())


def interlaced() -> bytes:
    """Eight by eight Adam7 pixels at a time, of one colour each, as no program here writes it."""
    width, height = 40, 40
    rows = b""
    for x0, y0, dx, dy in (
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    ):
        columns = len(range(x0, width, dx))
        for y in range(y0, height, dy):
            rows += b"\0" + bytes([200, 6 * y, 0]) * columns
    head = width.to_bytes(4) + height.to_bytes(4) + b"\x08\x02\0\0\x01"
    return PLAIN[:8] + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND")


def sixteen_bits(colour: int, pixel: bytes, *beside: bytes) -> bytes:
    head = (32).to_bytes(4) * 2 + bytes([16, colour, 0, 0, 0])
    data = chunk(b"IDAT", zlib.compress((b"\0" + pixel * 32) * 32))
    return PLAIN[:8] + chunk(b"IHDR", head) + b"".join(beside) + data + chunk(b"IEND")


@pytest.mark.parametrize(
    "data",
    [
        PLAIN,
        PALETTE,
        GREY,
        IN_PIECES,
        interlaced(),
        *(saved(quarters(mode), "PNG") for mode in ("RGBA", "L", "LA", "1", "P")),
        with_chunks(PLAIN, chunk(b"sRGB", b"\0"), chunk(b"gAMA", bytes(4)), chunk(b"cHRM", bytes(32))),
        with_chunks(PLAIN, chunk(b"iCCP", PROFILE)),
        with_chunks(PLAIN, chunk(b"cICP", b"\x0c\x0d\0\1")),
    ],
    ids=range(13),
)
def test_what_is_picture_and_colours_alone_keeps_its_very_bytes(data: bytes) -> None:
    assert strip_png(data).data is data


BOMB = chunk(b"zTXt", b"workflow\0\0" + zlib.compress(bytes(100_000_000)))
BESIDE = {
    "a text": chunk(b"tEXt", b"Comment\0" + SECRET),
    "a text of 9 MB": chunk(b"tEXt", b"workflow\0" + b"x" * 9_000_000),
    "a packed text": chunk(b"zTXt", b"k\0\0" + zlib.compress(SECRET)),
    "a packed text of 100 MB": BOMB,
    "a text of some language": chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP_TURNED),
    "EXIF as a text": chunk(
        b"tEXt", b"Raw profile type exif\0\nexif\n 8\n" + exif_tiff((0x0112, 3, 1, 6)).hex().encode()
    ),
    "EXIF as a packed text": chunk(b"zTXt", b"Raw profile type APP1\0\0" + zlib.compress(exif_tiff((0x0112, 3, 1, 6)))),
    "EXIF": chunk(b"eXIf", exif_tiff((0x8825, 4, 1, 26)) + SECRET),
    "sizes and times": chunk(b"pHYs", bytes(9)) + chunk(b"tIME", bytes(7)) + chunk(b"bKGD", bytes(6)),
    "a program's own": chunk(b"prVt", SECRET) * 1000,
    "a critical part that nobody knows": chunk(b"ABCD", SECRET),
    "an animation": chunk(b"acTL", bytes(8)) + chunk(b"fcTL", bytes(26)),
    "a broken text": chunk(b"tEXt", b"a\0b", sound=False),
    "a broken size": chunk(b"pHYs", bytes(9), sound=False),
    "a broken profile": chunk(b"iCCP", PROFILE, sound=False),
    "a profile that does not unpack": chunk(b"iCCP", b"p\0\0" + b"no zlib"),
    "half a profile": chunk(b"iCCP", PROFILE[:-8]),
    "a profile without a name's end": chunk(b"iCCP", b"p" * 100),
    "a profile that is a bomb": chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(MAX_PROFILE_BYTES + 1))),
    "a gamma of two bytes": chunk(b"gAMA", b"\0\1"),
    "primaries of two bytes": chunk(b"cHRM", b"\0\1"),
    "an intent of none": chunk(b"sRGB"),
    "transparency of two bytes": chunk(b"tRNS", b"\0\1"),
}


@pytest.mark.parametrize("name", BESIDE)
def test_what_does_not_show_is_gone(name: str) -> None:
    data = with_chunks(PLAIN, BESIDE[name])
    kept = strip_png(data)
    assert kept.data == PLAIN
    assert kept.orientation == 1
    assert shows_quarters(upright_jpeg(accept(data)).data)


@pytest.mark.parametrize("behind", [SECRET, PLAIN, b"\0" * 100_000, b"PK\3\4" + SECRET])
def test_what_is_appended_is_gone(behind: bytes) -> None:
    assert strip_png(PLAIN + behind).data == PLAIN


def test_what_stands_between_picture_and_end_is_gone() -> None:
    assert strip_png(with_chunks(PLAIN, chunk(b"tEXt", b"a\0" + SECRET), before=b"IEND")).data == PLAIN


def test_of_two_profiles_the_first_counts() -> None:
    one, two = chunk(b"iCCP", PROFILE), chunk(b"iCCP", b"q" + PROFILE)
    assert strip_png(with_chunks(PLAIN, one, two)).data == with_chunks(PLAIN, one)
    broken = chunk(b"iCCP", PROFILE, sound=False)
    assert strip_png(with_chunks(PLAIN, broken, one)).data == with_chunks(PLAIN, one)


def test_a_profile_of_two_megabytes_is_used() -> None:
    profile = rgb_profile(padding=2_000_000)
    data = with_chunks(PLAIN, chunk(b"iCCP", b"p\0\0" + zlib.compress(profile)))
    assert strip_png(data).data is data
    assert not shows_quarters(upright_jpeg(accept(data)).data)


LINEAR = chunk(b"cICP", bytes([1, 8, 0, 1]))
TURNED = chunk(b"eXIf", exif_tiff((0x0112, 3, 1, 6)))
NO_COLOUR = chunk(b"PLTE", bytes(3 * 256))


@pytest.mark.parametrize(
    ("data", "part", "before", "kept"),
    [
        *((PLAIN, part, b"IEND", False) for part in (LINEAR, TURNED, chunk(b"iCCP", PROFILE), chunk(b"sRGB", b"\0"))),
        *((PLAIN, part, b"IEND", False) for part in (chunk(b"gAMA", (9).to_bytes(4)), chunk(b"cHRM", bytes(32)))),
        (PALETTE, LINEAR, b"PLTE", True),
        (PALETTE, LINEAR, b"IDAT", False),
        (with_chunks(PLAIN, NO_COLOUR), LINEAR, b"IDAT", False),
        *((PALETTE, part, b"IDAT", True) for part in (TURNED, chunk(b"iCCP", PROFILE), chunk(b"sRGB", b"\0"))),
        (GREY, chunk(b"eXIf", exif_tiff((0x0112, 3, 1, 6))), b"tRNS", True),
    ],
)
def test_a_part_out_of_place_is_left_out_as_browsers_leave_it_out(
    data: bytes, part: bytes, before: bytes, kept: bool
) -> None:
    """Seen in Chromium 156: nothing behind the pixels counts, and no cICP behind a palette."""
    assert (part[4:8] in chunks_of(strip_png(with_chunks(data, part, before=before)).data)) is kept


@pytest.mark.parametrize("kind", [b"tRNS", b"PLTE", b"eXIf", b"cICP", b"IEND", b"IDAT"])
@pytest.mark.parametrize("size", range(4))
def test_a_file_without_a_header_is_refused_however_short_it_is(kind: bytes, size: int) -> None:
    for data in (PLAIN[:8] + chunk(kind, bytes(size)), PLAIN[:8] + bytes(4) + kind + bytes(4)):
        with pytest.raises(InvalidImageError):
            accept(data)


def test_transparency_before_its_palette_is_left_out() -> None:
    at, stop = PALETTE.index(b"tRNS") - 4, PALETTE.index(b"IDAT") - 4
    without = PALETTE[:at] + PALETTE[stop:]
    early = with_chunks(without, PALETTE[at:stop], before=b"PLTE")
    assert b"tRNS" in chunks_of(strip_png(PALETTE).data)
    assert b"tRNS" not in chunks_of(strip_png(early).data)
    assert b"tRNS" in chunks_of(strip_png(with_chunks(early, PALETTE[at:stop])).data)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_of_exif_stays_the_orientation_and_nothing_else(orientation: int) -> None:
    told = exif_tiff((0x010F, 2, 4, 65), (0x0112, 3, 1, orientation), order="<") + SECRET
    kept = strip_png(with_chunks(PLAIN, chunk(b"eXIf", told)))
    assert kept.orientation == orientation
    assert SECRET not in kept.data
    assert dict(Image.open(io.BytesIO(kept.data)).getexif()) == ({0x0112: orientation} if orientation > 1 else {})
    assert strip_png(kept.data).data is kept.data


def test_of_an_animation_the_still_picture_is_shown() -> None:
    first, second = quarters(), Image.new("RGB", (96, 64), "black")
    data = saved(first, "PNG", save_all=True, append_images=[second])
    assert {b"acTL", b"fdAT"} < set(chunks_of(data))
    kept = strip_png(data).data
    assert set(chunks_of(kept)) == {b"IHDR", b"IDAT", b"IEND"}
    assert shows_quarters(upright_jpeg(accept(data)).data)


@pytest.mark.parametrize("data", [PLAIN, PALETTE, GREY, saved(noise(), "PNG")])
def test_a_picture_without_its_end_is_all_there(data: bytes) -> None:
    for end in range(data.index(b"IEND") - 4, len(data)):
        assert accept(data[:end]).data == data
    cut_in_a_text = data[: data.index(b"IEND") - 4] + chunk(b"tEXt", SECRET)[:-9]
    assert accept(cut_in_a_text).data == data


@pytest.mark.parametrize("data", [PLAIN, PALETTE, GREY, saved(noise(), "PNG")])
def test_half_a_picture_is_refused_at_once(data: bytes) -> None:
    end = data.index(b"IEND") - 4
    for length in [*range(8, 200), *range(200, end, 997), end - 1]:
        if length < end:
            with pytest.raises(InvalidImageError, match="cut off"):
                accept(data[:length])


def test_a_picture_that_is_cut_between_two_parts_is_refused_by_the_decoder() -> None:
    pieces = IN_PIECES.split(b"\0\0\0\1IDAT")
    with pytest.raises(InvalidImageError, match="incomplete"):
        upright_jpeg(accept(b"\0\0\0\1IDAT".join(pieces[: len(pieces) // 2])))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (with_chunks(PLAIN, chunk(b"IDAT") * MAX_PARTS), "more than 20000 parts"),
        (with_chunks(PLAIN, chunk(b"abCd") * MAX_PARTS), "more than 20000 parts"),
        (PLAIN[:8] + chunk(b"CgBI", bytes(4)) + PLAIN[8:], "whose IHDR is broken"),
        (PLAIN[:8] + chunk(b"IHDR", PLAIN[16:29], sound=False) + PLAIN[33:], "whose IHDR is broken"),
        (PLAIN[:8] + chunk(b"IHDR", PLAIN[16:28]) + PLAIN[33:], "whose IHDR is broken"),
        (PLAIN[:8] + PLAIN[33:], "without a header"),
        (PLAIN[:33] + PLAIN[-12:], "no picture"),
        (with_chunks(PLAIN, chunk(b"PLTE", bytes(5)), before=b"IDAT"), "whose PLTE is broken"),
        (with_chunks(PLAIN, chunk(b"PLTE", bytes(6), sound=False), before=b"IDAT"), "whose PLTE is broken"),
        (png_header(64, 64, colour=3), "no palette"),
        (png_header(64, 64, depth=3), "of a kind that is not taken"),
        (png_header(64, 64, colour=5), "of a kind that is not taken"),
    ],
)
def test_what_no_browser_shows_is_refused_for_its_reason(data: bytes, says: str) -> None:
    began = time.process_time()
    with pytest.raises(InvalidImageError, match=says):
        accept(data)
    assert time.process_time() - began < 0.5


def test_an_interlaced_png_is_shown() -> None:
    made = shown(upright_jpeg(accept(interlaced())).data)
    for y in (3, 20, 36):
        assert made.getpixel((20, y)) == pytest.approx((200, 6 * y, 0), abs=12)


@pytest.mark.parametrize(
    ("data", "colour"),
    [
        (sixteen_bits(0, b"\x80\0"), (128, 128, 128)),
        (sixteen_bits(2, b"\xff\xff\x80\0\0\0"), (255, 128, 0)),
        (sixteen_bits(4, b"\x80\0\x80\0"), (191, 191, 191)),
        (sixteen_bits(6, b"\xff\xff\x80\0\0\0\0\0"), (255, 255, 255)),
        (sixteen_bits(0, b"\x80\0", chunk(b"tRNS", b"\x80\0")), (255, 255, 255)),
        (sixteen_bits(0, b"\0\0", chunk(b"tRNS", b"\0\0")), (255, 255, 255)),
        (sixteen_bits(0, b"\0\0", chunk(b"tRNS", b"\xff\xff")), (0, 0, 0)),
        (sixteen_bits(2, b"\x80\x80\0\0\0\0", chunk(b"tRNS", b"\x80\x80\0\0\0\0")), (255, 255, 255)),
        (sixteen_bits(2, b"\x80\xff\0\0\0\0", chunk(b"tRNS", b"\x80\xff\0\0\0\0")), (255, 255, 255)),
        (sixteen_bits(2, b"\x80\x80\0\0\0\0", chunk(b"tRNS", b"\0\0\0\0\0\0")), (128, 0, 0)),
    ],
    ids=[
        "grey",
        "colour",
        "grey and alpha",
        "clear",
        "clear grey",
        "clear black",
        "clear white",
        "clear colour",
        "clear odd colour",
        "other",
    ],
)
def test_sixteen_bits_a_colour_are_shown(data: bytes, colour: tuple[int, int, int]) -> None:
    made = shown(upright_jpeg(accept(data)).data)
    assert made.getpixel((16, 16)) == pytest.approx(colour, abs=6)


def test_a_palette_is_as_transparent_as_it_says() -> None:
    colours = Image.new("P", (64, 32))
    colours.putpalette([200, 0, 0, 0, 0, 200])
    colours.paste(1, (32, 0, 64, 32))
    made = shown(upright_jpeg(accept(saved(colours, "PNG", transparency=b"\x80\xff"))).data)
    assert made.getpixel((8, 16)) == pytest.approx((228, 127, 127), abs=6)
    assert made.getpixel((56, 16)) == pytest.approx((0, 0, 200), abs=6)
