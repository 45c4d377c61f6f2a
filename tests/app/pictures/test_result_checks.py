"""Each lie about a picture that can be noticed is noticed; the truth passes."""

from collections.abc import Callable
from functools import partial
from io import BytesIO

import pytest
from PIL import Image

from app.pictures import result_checks as checks
from app.pipeline.models import MaskPoint, Stroke

SIZE = (64, 48)
POINTS = [MaskPoint(x=0.5, y=0.5, label=1), MaskPoint(x=0.05, y=0.05, label=0)]
ADD = [Stroke(points=[(0.5, 0.5)], mode="add", size=5)]
REMOVE = [Stroke(points=[(0.5, 0.5)], mode="remove", size=5)]


def _bytes(image: Image.Image, kind: str = "PNG") -> bytes:
    out = BytesIO()
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


def test_the_truth_passes() -> None:
    checks.check_resized(JPEG, SIZE)
    checks.check_cutout(_cutout(), SIZE)
    checks.check_mask(_mask(), SIZE, POINTS)
    checks.check_refined_mask(_mask(), SIZE, ADD)
    checks.check_refined_mask(_mask(0), SIZE, REMOVE)  # the user may erase all of it
    checks.check_generated(JPEG, SIZE, checks.digest(OTHER))
    checks.check_fidelity(LARGER)


mask, refined = partial(checks.check_mask, size=SIZE, points=POINTS), partial(checks.check_refined_mask, size=SIZE)
cutout, resized = partial(checks.check_cutout, size=SIZE), partial(checks.check_resized, size=SIZE)
generated = partial(checks.check_generated, size=SIZE, original=checks.digest(JPEG))


@pytest.mark.parametrize(
    ("check", "data", "says"),
    [
        (resized, LARGER, "65x48 instead of 64x48"),
        (resized, _cutout(), "PNG instead of JPEG"),
        (resized, b"", "not a complete picture"),
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
        (checks.check_fidelity, b"x" * 100, "not a complete picture"),
    ],
)
def test_lies_are_noticed(check: Callable[[bytes], None], data: bytes, says: str) -> None:
    with pytest.raises(checks.BadResultError, match=says):
        check(data)


def test_a_bomb_is_not_decoded() -> None:
    for side, says in ((8_000, "8000x8000"), (20_000, "not a complete picture")):  # the second is Pillow's own limit
        bomb = _bytes(Image.new("1", (side, side)))
        with pytest.raises(checks.BadResultError, match=says):
            checks.check_mask(bomb, SIZE, POINTS)
