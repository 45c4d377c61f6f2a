"""Colours are as browsers show them: profiles are honoured once, and what comes out is sRGB."""

import io
import zlib

import pytest
from PIL import Image, ImageCms

from app.pictures.colours import profile_for
from app.pictures.photo import accept, upright_jpeg
from scenarios.stories.profiles import ADOBE_PRIMARIES, P3_PRIMARIES, grey_profile, rgb_profile
from tests.app.pictures.made import (
    Colour,
    chunk,
    cmyk_profile,
    colour_at,
    near,
    noise,
    quarters,
    saved,
    segment,
    shown,
    shows_quarters,
    with_chunks,
)

WALL = (200, 60, 50)
WALL_IN_P3, WALL_IN_ADOBE = (219, 37, 34), (231, 57, 46)
"""The wall's colour in sRGB where its numbers are of a screen with those primaries and a gamma of 2.2."""

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def wall(mode: str = "RGB", colour: object = WALL) -> Image.Image:
    if mode == "P":
        return Image.new("RGB", (64, 48), WALL).quantize(4)
    return Image.new(mode, (64, 48), colour)  # type: ignore[arg-type]


def made_of(data: bytes) -> Colour:
    upright = Image.open(io.BytesIO(upright_jpeg(accept(data)).data))
    assert "icc_profile" not in upright.info
    return colour_at(upright, 0.5, 0.5)


@pytest.mark.parametrize(("primaries", "meant"), [(P3_PRIMARIES, WALL_IN_P3), (ADOBE_PRIMARIES, WALL_IN_ADOBE)])
@pytest.mark.parametrize(
    "photo",
    [
        lambda profile: saved(wall(), "JPEG", icc_profile=profile),
        lambda profile: saved(
            wall(),
            "JPEG",
            icc_profile=profile,
            progressive=True,
            exif=b"Exif\0\0MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0" + bytes(4),
        ),
        lambda profile: saved(wall(), "PNG", icc_profile=profile),
        lambda profile: saved(wall("P"), "PNG", icc_profile=profile),
        lambda profile: saved(wall().convert("RGBA"), "PNG", icc_profile=profile),
    ],
    ids=["JPEG", "turned", "PNG", "palette", "with alpha"],
)
def test_a_profile_s_colours_are_shown(photo: object, primaries: object, meant: Colour) -> None:
    data = photo(rgb_profile(primaries))  # type: ignore[operator, arg-type]
    assert near(made_of(data), meant, 4)


def test_what_is_transparent_is_white_and_what_is_half_is_half() -> None:
    clear = wall().convert("RGBA")
    clear.putalpha(0)
    assert made_of(saved(clear, "PNG", icc_profile=rgb_profile())) == (255, 255, 255)
    clear.putalpha(128)
    half = tuple(round((value + 255) / 2) for value in WALL_IN_P3)
    assert near(made_of(saved(clear, "PNG", icc_profile=rgb_profile())), half, 4)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "grey",
    [
        saved(wall("L", 128), "JPEG", icc_profile=grey_profile(1.0)),
        saved(wall("L", 128), "PNG", icc_profile=grey_profile(1.0)),
        saved(wall("LA", (128, 255)), "PNG", icc_profile=grey_profile(1.0)),
        saved(wall("L", 128), "PNG", icc_profile=rgb_profile(gamma=1.0)),
    ],
    ids=["JPEG", "PNG", "with alpha", "by a screen's profile"],
)
def test_grey_has_a_profile_too(grey: bytes) -> None:
    assert near(made_of(grey), (188, 188, 188), 4)


def test_grey_that_is_transparent_is_white() -> None:
    assert made_of(saved(wall("LA", (0, 0)), "PNG", icc_profile=grey_profile(1.0))) == (255, 255, 255)


def cmyk(cyan: int, profile: bytes | None, *, by_adobe: bool) -> bytes:
    """Cyan ink alone, written inverted with Adobe's mark, or straight without."""
    ink = Image.new("CMYK", (64, 48), (cyan, 0, 0, 0))
    data = saved(
        ink if by_adobe else Image.eval(ink, lambda value: 255 - value), "JPEG", quality=95, icc_profile=profile
    )
    at = data.index(b"\xff\xee")
    return data if by_adobe else data[:at] + data[at + 2 + int.from_bytes(data[at + 2 : at + 4]) :]


@pytest.mark.parametrize("by_adobe", [True, False])
def test_inks_are_shown_as_the_press_prints_them(by_adobe: bool) -> None:
    assert near(made_of(cmyk(255, cmyk_profile(), by_adobe=by_adobe)), (0, 156, 221), 6)
    assert near(made_of(cmyk(0, cmyk_profile(), by_adobe=by_adobe)), (255, 255, 255), 3)
    assert near(made_of(cmyk(255, None, by_adobe=by_adobe)), (0, 255, 255), 6)


PLAIN = saved(quarters(), "JPEG")
SRGB_FILES = {
    "no profile": PLAIN,
    "sRGB": saved(quarters(), "JPEG", icc_profile=SRGB),
    "broken": saved(quarters(), "JPEG", icc_profile=b"a profile"),
    "half of one": saved(quarters(), "JPEG", icc_profile=rgb_profile()[:200]),
    "a press's": saved(quarters(), "JPEG", icc_profile=cmyk_profile()),
    "grey's": saved(quarters(), "JPEG", icc_profile=grey_profile(1.0)),
    "half of its parts": PLAIN[:20] + segment(0xE2, b"ICC_PROFILE\0\1\2" + rgb_profile()) + PLAIN[20:],
}


@pytest.mark.parametrize("name", SRGB_FILES)
def test_what_is_srgb_or_cannot_be_told_keeps_its_bytes(name: str) -> None:
    data = SRGB_FILES[name]
    assert upright_jpeg(accept(data)).data is data


@pytest.mark.parametrize(
    "beside",
    [
        chunk(b"iCCP", b"p\0\0" + zlib.compress(SRGB)),
        chunk(b"iCCP", b"p\0\0" + zlib.compress(b"a profile")),
        chunk(b"sRGB", b"\0"),
        chunk(b"gAMA", (45455).to_bytes(4)),
    ],
)
def test_a_png_in_srgb_shows_its_numbers(beside: bytes) -> None:
    assert shows_quarters(upright_jpeg(accept(with_chunks(saved(quarters(), "PNG"), beside))).data)


def test_srgb_is_known_by_what_it_does() -> None:
    for mode, profile, matters in (
        ("RGB", SRGB, False),
        ("P", SRGB, False),
        ("L", SRGB, False),
        ("RGB", b"", False),
        ("RGB", rgb_profile(), True),
        ("RGB", rgb_profile(ADOBE_PRIMARIES), True),
        ("L", grey_profile(1.8), True),
        ("CMYK", cmyk_profile(), True),
    ):
        image = Image.new(mode, (4, 4))
        image.info["icc_profile"] = profile
        assert (profile_for(image, b"") is not None) is matters


def test_a_picture_of_many_colours_is_converted_as_a_whole() -> None:
    data = saved(noise(), "PNG", icc_profile=rgb_profile())
    to_srgb = ImageCms.profileToProfile(
        noise(), ImageCms.ImageCmsProfile(io.BytesIO(rgb_profile())), ImageCms.createProfile("sRGB")
    )
    assert to_srgb is not None
    wanted = to_srgb.resize((16, 12), Image.Resampling.BOX).tobytes()
    found = shown(upright_jpeg(accept(data)).data).resize((16, 12), Image.Resampling.BOX).tobytes()
    assert all(abs(one - other) < 8 for one, other in zip(wanted, found, strict=True))


P3 = (31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)
"""The white and the primaries of P3, as a cHRM has them."""
C_P3, C_SRGB, G_22, G_LINEAR = (
    chunk(b"cICP", bytes([12, 13, 0, 1])),
    chunk(b"cICP", bytes([1, 13, 0, 1])),
    chunk(b"gAMA", (45455).to_bytes(4)),
    chunk(b"gAMA", (100000).to_bytes(4)),
)
H_P3 = chunk(b"cHRM", b"".join(value.to_bytes(4) for value in P3))
I_P3 = chunk(b"iCCP", b"p\0\0" + zlib.compress(rgb_profile()))
S_RGB = chunk(b"sRGB", b"\0")
LINEAR = (229, 132, 122)
"""The wall's numbers where they are shares of light."""
P3_BY_SRGB = (219, 41, 39)
"""The wall in sRGB where its numbers are Display P3's, whose curve is that of sRGB."""


@pytest.mark.parametrize(
    ("chunks", "meant"),
    [
        ([C_P3], P3_BY_SRGB),
        ([C_SRGB], WALL),
        ([G_LINEAR], LINEAR),
        ([G_22, H_P3], WALL_IN_P3),
        ([H_P3], P3_BY_SRGB),
        ([C_SRGB, I_P3, H_P3], WALL),  # cICP wins
        ([C_P3, S_RGB], P3_BY_SRGB),
        ([I_P3, G_LINEAR], WALL_IN_P3),  # then the profile
        ([S_RGB, G_LINEAR, H_P3], WALL),  # then sRGB
        ([chunk(b"cICP", bytes([9, 17, 0, 1])), H_P3], P3_BY_SRGB),  # a cinema's curve: as if it said nothing
        ([chunk(b"cHRM", bytes(32))], WALL),
        ([chunk(b"gAMA", bytes(4))], WALL),
    ],
    ids=lambda value: "".join(each[4:8].decode() for each in value) if isinstance(value, list) else None,
)
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_what_a_png_says_of_its_colours_counts_in_the_order_of_browsers(
    mode: str, chunks: list[bytes], meant: Colour
) -> None:
    picture = wall().convert(mode) if mode == "RGBA" else wall(mode)
    before = b"PLTE" if mode == "P" else b"IDAT"
    assert near(made_of(with_chunks(saved(picture, "PNG"), *chunks, before=before)), meant, 4)


@pytest.mark.parametrize(
    ("said", "number", "meant"),
    [
        # PQ by BT.2100: 203 nits, which are white, have the signal 0.58; 100 nits 0.508; 10 nits 0.302
        ([9, 16, 0, 1], 148, 255),
        ([9, 16, 0, 1], 200, 255),
        ([9, 16, 0, 1], 130, 187),
        ([9, 16, 0, 1], 77, 63),
        # HLG by BT.2408: white has the signal 0.75; a grey of 18 % 0.38, which is 26 nits
        ([9, 18, 0, 1], 191, 255),
        ([9, 18, 0, 1], 97, 101),
        # a limited range: 16 is black and 235 white
        ([1, 13, 0, 0], 235, 255),
        ([1, 13, 0, 0], 16, 0),
        ([1, 13, 0, 0], 126, 128),
        ([9, 16, 0, 0], 143, 255),
        ([9, 8, 0, 0], 126, 188),
        ([9, 8, 0, 1], 128, 188),
    ],
)
def test_a_png_in_hdr_or_of_limited_range_is_shown_with_its_white_as_white(
    said: list[int], number: int, meant: int
) -> None:
    picture = Image.new("RGB", (64, 64), (number,) * 3)
    found = made_of(with_chunks(saved(picture, "PNG"), chunk(b"cICP", bytes(said)), before=b"IDAT"))
    assert near(found, (meant,) * 3, 4)
