"""Does what came out agree with what the scenario says must come out?"""

import base64
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from PIL import Image, ImageChops, ImageStat

from scenarios.photos import PHOTOS
from scenarios.scenario import Expect
from scenarios.stories.drawn import shown
from scenarios.stories.run import Run

TENTH_S = 0.1
PICTURES = ("fluxResultBase64", "geminiResultBase64")
THUMBNAIL = (24, 24)
TOP = (0, 0, 24, 4)
"""The part of a thumbnail above everything that is worn where the usual points are."""
CLEARLY = 0.9
"""By so much less a result has to differ when it is laid otherwise: dozens of strokes hide which side is which."""
OTHER_COLOURS = 5
"""Of 255, by which it may differ: it is some JPEGs away."""


def unmet(run: Run) -> Iterator[str]:
    """Yield a line for each expectation that is not met: what, expected, seen."""
    expect = run.scenario.expect
    yield from _outcome(run, expect)
    if run.seen_inside:
        yield from _inside(run, expect)
    if run.virtual:
        yield from _times(run, expect)
    if run.status == "COMPLETED":
        yield from _pictures(run, expect)


def _inside(run: Run, expect: Expect) -> Iterator[str]:
    for name, times in expect.calls.items():
        if run.count(name) != times:
            yield f"calls of {name}: expected {times}, seen {run.count(name)}"
    for name, fields in expect.sent.items():
        bodies = [call.sent for call in run.calls if call.name == name and call.sent is not None]
        if not bodies:
            yield f"sent to {name}: expected {dict(fields)}, seen nothing"
        for body in bodies:
            seen = {field: _counted(body.get(field)) for field in fields}
            if seen != fields:
                yield f"sent to {name}: expected {dict(fields)}, seen {seen}"
    if expect.background_removed is not None:
        removed = (run.output or {}).get("background_removed")
        if removed is not expect.background_removed:
            yield f"background removed: expected {expect.background_removed}, seen {removed}"


def _counted(digest: Any) -> Any:
    """Return how many items a list in a digest had; anything else as it is."""
    return digest["items"] if isinstance(digest, dict) and "items" in digest else digest


def _outcome(run: Run, expect: Expect) -> Iterator[str]:
    error = run.error
    seen = {
        "status": run.status,
        "code": error.get("code"),
        "failed_step": error.get("failedStep"),
        "http_status": run.start_answer[0],
    }
    for name, value in seen.items():
        wanted = getattr(expect, name)
        if wanted is not None and wanted != value:
            said = f" ({error.get('message')})" if name == "status" and error else ""
            yield f"{name}: expected {wanted}, seen {value}{said}"
    if expect.message is not None and expect.message not in str(error.get("message")):
        yield f"message: expected one with {expect.message!r}, seen {error.get('message')!r}"


def _times(run: Run, expect: Expect) -> Iterator[str]:
    for activity, wanted in expect.attempts.items():
        seen = [attempt.began for attempt in run.timeline.attempts if attempt.activity == activity]
        yield from _compare(f"attempts of {activity} began at", wanted, seen)
    for name, wanted in expect.call_times.items():
        seen = sorted(call.at for call in run.calls if call.name == name)
        yield from _compare(f"calls of {name} were made at", wanted, seen)
    if expect.length_s is not None and abs(expect.length_s - run.timeline.length) > TENTH_S:
        yield f"length: expected {expect.length_s:.1f} virtual s, seen {run.timeline.length:.1f}"


def _compare(what: str, wanted: tuple[float, ...], seen: list[float]) -> Iterator[str]:
    if len(wanted) != len(seen) or any(abs(a - b) > TENTH_S for a, b in zip(wanted, seen, strict=True)):
        yield f"{what}: expected {_seconds(wanted)}, seen {_seconds(seen)}"


def _seconds(instants: tuple[float, ...] | list[float]) -> str:
    return ", ".join(f"{instant:.1f} s" for instant in instants) or "never"


def _pictures(run: Run, expect: Expect) -> Iterator[str]:
    result = run.answer.get("result") or {}
    if expect.gemini is not None and (result.get("geminiResultBase64") is not None) is not expect.gemini:
        yield f"gemini's result: expected {'a picture' if expect.gemini else 'null'}, seen the other"
    photo = PHOTOS[run.scenario.photo]
    wanted = expect.size or photo.size
    for name in PICTURES:
        if result.get(name) is None:
            continue
        with Image.open(BytesIO(base64.b64decode(result[name]))) as picture:
            if (picture.format, picture.size) != ("JPEG", wanted):
                yield f"{name}: expected a JPEG of {wanted}, seen {picture.format} of {picture.size}"
            else:
                usual = run.scenario.points is None and not run.scenario.strokes
                told = _unlike(picture, shown(run.scenario.photo), bare=usual and run.seen_inside)
                yield from (f"{name}: {wrong}" for wrong in told)


def _unlike(picture: Image.Image, photo: Image.Image, *, bare: bool) -> Iterator[str]:
    """Say how a result is unlike its photo, jewellery aside; its colours are looked at where its top is bare of any."""
    wanted, seen = (each.convert("RGB").resize(THUMBNAIL) for each in (photo, picture))
    off = {how: ImageChops.difference(wanted, _laid(seen, how)) for how in (None, *Image.Transpose)}
    means = {how: sum(ImageStat.Stat(each).mean) for how, each in off.items()}
    if (nearest := min(means, key=means.__getitem__)) is not None and means[nearest] < CLEARLY * means[None]:
        yield f"it is not upright: by {nearest.name} it would be"
    elif bare and max(ImageStat.Stat(off[None].crop(TOP)).mean) > OTHER_COLOURS:
        yield "its colours are not those of the photo"


def _laid(picture: Image.Image, how: Image.Transpose | None) -> Image.Image:
    return picture if how is None else picture.transpose(how)
