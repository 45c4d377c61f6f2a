"""Each lie about a picture that can be noticed is noticed; the truth passes."""

import io
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Literal

import pytest
from PIL import Image

from app.pictures import result_checks as checks
from app.pipeline.models import MaskPoint, Stroke
from tests.app.pictures.made import of_the_field

SIZE = (64, 48)
POINTS = [MaskPoint(x=0.5, y=0.5, label=1), MaskPoint(x=0.05, y=0.05, label=0)]
ADD = [Stroke(points=[(0.5, 0.5)], mode="add", size=5)]
REMOVE = [Stroke(points=[(0.5, 0.5)], mode="remove", size=5)]


def _bytes(image: Image.Image, kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()


def _mask(value: int = 255, *, around: int = 0, size: tuple[int, int] = SIZE) -> bytes:
    """A box of `value` in the middle third, on `around`."""
    image = Image.new("L", size, around)
    image.paste(value, (size[0] // 3, size[1] // 3, 2 * size[0] // 3, 2 * size[1] // 3))
    return _bytes(image)


def _cutout(alpha: int | None = None) -> bytes:
    image = Image.new("RGBA", SIZE, (200, 100, 50, 255 if alpha is None else alpha))
    if alpha is None:
        image.paste((0, 0, 0, 0), (0, 0, 10, 10))
    return _bytes(image)


JPEG = _bytes(Image.effect_noise(SIZE, 50).convert("RGB"), "JPEG")
OTHER = _bytes(Image.effect_noise(SIZE, 20).convert("RGB"), "JPEG")
LARGER = _bytes(Image.new("RGB", (65, 48)), "JPEG")
PNG = _bytes(Image.new("RGB", SIZE))


def _digest(data: bytes) -> str:
    return checks.digest(checks.open_result(data))


def _check(check: Callable[..., bytes | None], data: bytes, named: str = "", **about: object) -> bytes | None:
    return check(checks.open_result(data), named, **about)


resized, cutout = (partial(_check, each, size=SIZE) for each in (checks.check_resized, checks.check_cutout))
mask = partial(_check, checks.check_mask, size=SIZE, points=POINTS)
refined = partial(_check, checks.check_refined_mask, size=SIZE)
generated = partial(_check, checks.check_generated, named="JPEG", size=SIZE, original=_digest(JPEG))
fidelity = partial(_check, checks.check_fidelity, named="JPEG")


def test_the_truth_passes() -> None:
    resized(JPEG)
    cutout(_cutout())
    mask(_mask())
    refined(_mask(), strokes=ADD)
    refined(_mask(0), strokes=REMOVE)  # the user may erase all of it
    generated(OTHER)
    fidelity(LARGER)


def test_a_format_is_right_where_the_name_says_so() -> None:
    resized(PNG, "PNG")
    resized(JPEG, "PNG")  # the specified format is right under any name
    mask(_as("L", "JPEG"), "JPEG")
    mask(_mask(), "JPEG")
    for check, data, named in ((resized, PNG, ""), (resized, PNG, "JPEG"), (mask, _as("L", "JPEG"), "PNG")):
        with pytest.raises(checks.BadResultError, match="instead of"):
            check(data, named)


def _as(mode: str, kind: str = "PNG", inside: int = 255, **options: object) -> bytes:
    """The mask in another mode, with another value inside."""
    image: Image.Image = Image.open(io.BytesIO(_mask(inside)))
    if mode == "I;16":
        image = image.convert("I").point(lambda value: value * 257).convert("I;16")
    out = io.BytesIO()
    image.convert(mode).save(out, kind, **options)
    return out.getvalue()


def _palette(*colours: int) -> bytes:
    """A mask of indices, as programs that label pixels write it."""
    image = Image.open(io.BytesIO(_mask(1)))
    labels = Image.frombytes("P", image.size, image.tobytes())
    labels.putpalette(colours)
    return _bytes(labels)


def _wide(inside: int) -> bytes:
    image = Image.open(io.BytesIO(_mask(1))).convert("I").point(lambda value: value * inside)
    return _bytes(image.convert("I;16"))


def _see_through(colour: tuple[int, int, int]) -> bytes:
    image = Image.new("RGBA", SIZE, (*colour, 0))
    image.putalpha(Image.open(io.BytesIO(_mask())))
    return _bytes(image)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "I;16"])
def test_a_mask_that_everybody_reads_alike_goes_on_as_it_is(mode: str) -> None:
    assert mask(_as(mode)) is None
    assert refined(_as(mode), strokes=ADD) is None


@pytest.mark.parametrize(
    "data",
    [
        _as("L", inside=1),
        _as("L", inside=100),
        _as("RGB", inside=1),
        _as("RGBA", inside=1),
        _palette(0, 0, 0, 1, 1, 1),
        _palette(0, 0, 0, 128, 0, 0),
        _palette(0, 0, 0, 0, 0, 255),
        _wide(1),
        _wide(255),
        _wide(257),
        _see_through((255, 255, 255)),
        _see_through((0, 0, 0)),
    ],
    ids=["0, 1", "0, 100", "RGB", "RGBA", "palette", "red", "blue", "wide 1", "wide 255", "wide 257", "white", "black"],
)
def test_a_mask_in_another_scale_is_written_anew_for_all_who_read_it(data: bytes) -> None:
    for made in (mask(data), refined(data, strokes=ADD)):
        assert made is not None
        image = Image.open(io.BytesIO(made))
        assert (image.format, image.mode, image.size) == ("PNG", "L", SIZE)
        assert image.tobytes() == Image.open(io.BytesIO(_mask())).tobytes()


@pytest.mark.parametrize(
    ("values", "says"),
    [((0, 1, 2), "0, 1 and 2"), ((1, 2), "1 and 2"), (range(0, 101, 10), "0 to 100"), ((3, 60, 90), "3, 60 and 90")],
)
def test_a_mask_in_no_scale_is_told_once_with_its_values(values: Sequence[int], says: str) -> None:
    image = Image.new("L", SIZE)
    image.putdata([values[at % len(values)] for at in range(SIZE[0] * SIZE[1])])
    with pytest.raises(checks.BadResultError, match=f"of the values {says}, where 255 is foreground") as told:
        mask(_bytes(image))
    assert told.value.final


@pytest.mark.parametrize("path", of_the_field("*mask*.png"))
def test_masks_of_the_field_mean_what_they_show(path: Path) -> None:
    made = _check(checks.check_mask, path.read_bytes(), "PNG", size=(120, 160), points=[])
    assert (made is not None) is path.name.startswith("26")


def test_a_cutout_may_have_its_alpha_in_a_palette() -> None:
    labels = Image.open(io.BytesIO(_mask(1)))
    image = Image.frombytes("P", SIZE, labels.tobytes())
    image.putpalette([0, 0, 0, 200, 100, 50])
    out = io.BytesIO()
    image.save(out, "PNG", transparency=0)
    cutout(out.getvalue())


@pytest.mark.parametrize(
    ("check", "data", "says"),
    [
        (resized, LARGER, "65x48 instead of 64x48"),
        (resized, _cutout(), "PNG instead of JPEG"),
        (resized, b"", "not a JPEG or PNG"),
        (resized, JPEG[: len(JPEG) // 2], "not a complete picture"),
        (cutout, _bytes(Image.new("RGB", SIZE)), "without alpha"),
        (cutout, _cutout(0), "nothing left"),
        (cutout, _cutout(255), "nothing removed"),
        (cutout, JPEG, "JPEG instead of PNG"),
        (cutout, _cutout()[:-40], "not a complete picture"),
        (mask, _mask(0), "empty"),
        (mask, _mask(255, around=255), "covers everything"),
        (mask, _mask(0, around=255), "contradicts"),
        (mask, _mask(size=(64, 49)), "64x49"),
        (partial(refined, strokes=ADD), _mask(0), "empty"),
        (partial(refined, strokes=REMOVE), _mask(255, around=255), "full"),
        (partial(refined, strokes=ADD), _mask(0, around=255), "last stroke"),
        (partial(refined, strokes=REMOVE), _mask(255), "last stroke"),
        (generated, JPEG, "unchanged"),
        (generated, LARGER, "65x48"),
        (fidelity, b"x" * 100, "not a JPEG or PNG"),
        (fidelity, JPEG[: len(JPEG) // 2], "not a complete picture"),
        (fidelity, JPEG[:-2], "not a complete picture"),
        (fidelity, _cutout(), "PNG instead of JPEG"),
    ],
)
def test_lies_are_noticed(check: Callable[[bytes], None], data: bytes, says: str) -> None:
    with pytest.raises(checks.BadResultError, match=says):
        check(data)


@pytest.mark.parametrize(("size", "shows"), [(1, True), (2.9, True), (3, False)])
@pytest.mark.parametrize("mode", ["add", "remove"])
def test_a_thin_stroke_may_show_in_the_pixel_beside(mode: Literal["add", "remove"], size: float, shows: bool) -> None:
    inside = 255 if mode == "add" else 0
    painted = Image.new("L", SIZE, 255 - inside)
    painted.putpixel((11, 11), inside)
    stroke = Stroke(points=[(10.9 / SIZE[0], 10.9 / SIZE[1])], mode=mode, size=size)
    with nullcontext() if shows else pytest.raises(checks.BadResultError, match="last stroke"):
        refined(_bytes(painted), strokes=[Stroke(points=[(0, 0)], mode="add", size=9), stroke])


def test_a_bomb_is_not_decoded() -> None:
    for side in (8_000, 20_000):
        bomb = _bytes(Image.new("1", (side, side)))
        with pytest.raises(checks.BadResultError, match=f"{side}x{side}"):
            mask(bomb)
        out = io.BytesIO()
        Image.new("L", (side, side)).save(out, "JPEG")
        with pytest.raises(checks.BadResultError, match=f"{side}x{side}"):
            fidelity(out.getvalue())
