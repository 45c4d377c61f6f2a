"""Where a run differs from every story that is allowed, and how the two are told side by side."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from scenarios.model.story import UNKNOWN, Attempt, Call, Story

SAME_S = 0.01
"""Seconds by which instants of the model and of a run may differ: both count on a grid far finer than that."""


def differences(seen: Story, allowed: Sequence[Story]) -> list[str]:
    """Return how a run differs from the nearest of the stories that are allowed; nothing when it is one of them.

    The first line is about the first thing in time that is different.
    """
    return min((list(_differences(seen, story)) for story in allowed), key=len)


def nearest(seen: Story, allowed: Sequence[Story]) -> Story:
    """Return the story that a run comes nearest to."""
    return min(allowed, key=lambda story: len(list(_differences(seen, story))))


def _differences(seen: Story, wanted: Story) -> Iterator[str]:
    yield from _events(seen, wanted)
    yield from _value("status", seen.status, wanted.status)
    yield from _value("code", seen.code, wanted.code)
    yield from _value("failed step", seen.step, wanted.step)
    yield from _value("HTTP status of the start", seen.http_status, wanted.http_status)
    yield from _value("starts of which nobody knew", seen.lost_starts, wanted.lost_starts)
    if seen.status == "REFUSED":
        return
    if abs(seen.length - wanted.length) > SAME_S:
        yield f"length: {seen.length:g} s, not {wanted.length:g} s"
    yield from _value("background removed", seen.background_removed, wanted.background_removed)
    yield from _value("the result has", sorted(seen.results), sorted(wanted.results))
    if strange := [step for step in seen.steps if step not in wanted.steps]:
        yield f"progress and step: {strange}, which are none of {wanted.steps}"
    yield from _value("the cancel was answered", seen.cancel, wanted.cancel)
    for (reply,), replies in zip(seen.replies, wanted.replies, strict=False):
        if reply not in replies:
            yield f"{reply}, not {' or '.join(map(str, replies))}"
    yield from _value("answers to acts", len(seen.replies), len(wanted.replies))


def _value(what: str, seen: object, wanted: object) -> Iterator[str]:
    if seen != wanted:
        yield f"{what}: {seen}, not {wanted}"


def _events(seen: Story, wanted: Story) -> Iterator[str]:
    """Compare attempts and calls, the first difference in time first."""
    found = [*_pairs(seen.attempts, wanted.attempts), *_pairs(seen.calls, wanted.calls)]
    for _, one, other in sorted(found, key=lambda pair: pair[0]):
        if other is None:
            yield f"{_words(one)}, which is too many"
        else:
            yield f"{_words(one) if one else 'it is missing'}, not {_words(other)}"


def _pairs(
    seen: Sequence[Attempt | Call], wanted: Sequence[Attempt | Call]
) -> Iterator[tuple[float, Attempt | Call | None, Attempt | Call | None]]:
    """Yield what differs, with its instant: what was seen and what was wanted, None where there is none."""
    here, there = ({_key(each): each for each in events} for events in (seen, wanted))
    for key in {**there, **here}:
        one, other = here.get(key), there.get(key)
        if not _alike(one, other):
            yield min(_at(each) for each in (one, other) if each), one, other


def _key(each: Attempt | Call) -> tuple[object, ...]:
    if isinstance(each, Attempt):
        return each.activity, each.number
    return each.service, each.operation, each.number


def _at(each: Attempt | Call) -> float:
    return each.began if isinstance(each, Attempt) else each.at


def _alike(one: Attempt | Call | None, other: Attempt | Call | None) -> bool:
    if isinstance(one, Attempt) and isinstance(other, Attempt):
        near = abs(one.began - other.began) <= SAME_S and abs(one.ended - other.ended) <= SAME_S
        return near and one.outcome == other.outcome
    if isinstance(one, Call) and isinstance(other, Call):
        # A call that a fault ended before its body was read shows nothing of what it carried.
        works_on = not one.works_on or all(
            mine in {its, UNKNOWN} for mine, its in zip_longest(one.works_on, other.works_on)
        )
        return abs(one.at - other.at) <= SAME_S and one.attempt == other.attempt and one.key == other.key and works_on
    return False


def _words(each: Attempt | Call | None) -> str:
    if isinstance(each, Attempt):
        return f"{each.activity} attempt {each.number} from {each.began:g} to {each.ended:g} s: {each.outcome}"
    assert each is not None
    on = f" on {', '.join(each.works_on)}" if each.works_on else ""
    of = f" of attempt {each.attempt}" if each.attempt else ""
    key = f" as {each.key}" if each.key else ""
    return f"{each.name} call {each.number}{of} at {each.at:g} s{on}{key}"
