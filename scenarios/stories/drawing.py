"""Runs as pictures: steps, attempts, backoffs, calls and faults over virtual time, in one self-contained HTML page."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from math import ceil, log10
from pathlib import Path

from scenarios.pages import render
from scenarios.stories.report import calls_of
from scenarios.stories.run import Drawable, Run, SeenCall
from scenarios.virtual import Attempt

Scale = Callable[[float], float]
"""From an instant to its place in pixels."""

WIDTH = 960
LABELS = 160
RIGHT = 24
ROW = 30
BAR = 16
AXIS = 26
TICKS = 8
LEAST = 4.0
"""Pixels of an attempt that took no virtual time."""

TIMELINES = Path(__file__).parent / "templates" / "timelines.html.j2"

LEGEND = {
    "completed": "attempt that completed",
    "failure": "attempt that failed",
    "cancelled": "cancelled",
    "running": "running",
    "backoff": "backoff",
    "call": "call",
    "fault": "fault",
}


def legend() -> str:
    """Return what the colours mean, as HTML."""
    keys = (f'<span><i class="{kind}"></i>{words}</span>' for kind, words in LEGEND.items())
    return f'<p class="legend">{"".join(keys)}</p>'


@dataclass(frozen=True)
class Card:
    """One run as it is drawn: all of it that the page needs, as values that can go from process to process."""

    theme: str
    name: str
    passed: bool
    virtual_s: float
    outcome: str
    story: str
    problems: Sequence[str]
    svg: str


def page(cards: Sequence[Card]) -> str:
    """Return the page: a picture of each run by theme and name, failures first within their theme."""
    bad = sum(not card.passed for card in cards)
    virtual = sum(card.virtual_s for card in cards)
    in_order = sorted(cards, key=lambda card: (card.theme, card.passed, card.name))
    return render(
        TIMELINES,
        verdict=f"{len(cards)} scenario{'s' * (len(cards) != 1)}, {virtual:,.0f} virtual seconds, "
        + (f"{bad} failed" if bad else "all passed"),
        legend=legend(),
        themes=[(theme, list(members)) for theme, members in groupby(in_order, key=lambda card: card.theme)],
    )


def card(run: Run) -> Card:
    """Return a run as it is drawn."""
    code, step = run.error.get("code"), run.error.get("failedStep")
    return Card(
        run.scenario.theme,
        run.scenario.name,
        run.passed,
        run.timeline.length,
        outcome=" ".join(str(part) for part in (run.status, code, f"at {step}" if step else None) if part),
        story=run.scenario.story,
        problems=run.problems,
        svg=drawing(run) if run.timeline.attempts else "",
    )


def drawing(run: Run) -> str:
    """Return one run as SVG."""
    return draw(run, f"{run.scenario.name}: {run.status} after {run.timeline.length:.1f} virtual seconds")


def draw(story: Drawable, title: str) -> str:
    """Return a workflow as SVG: a row for each activity, attempts as bars, calls as ticks, faults as dots."""
    attempts = story.timeline.attempts
    activities = list(dict.fromkeys(attempt.activity for attempt in attempts))
    length = max(story.timeline.length, 0.5)
    height = AXIS + ROW * len(activities) + 8

    def x(instant: float) -> float:
        return LABELS + (WIDTH - LABELS - RIGHT) * instant / length

    parts = list(_axis(length, height, x))
    for row, activity in enumerate(activities):
        top = AXIS + ROW * row + (ROW - BAR) / 2
        parts.append(f'<text class="name" x="0" y="{top + BAR - 4:.0f}">{escape(activity)}</text>')
        for attempt in attempts:
            if attempt.activity == activity:
                parts += _attempt(attempt, calls_of(story, attempt), top, x, now=length)
    for happening in story.timeline.happenings:
        place = x(happening.at)
        parts.append(f'<line class="cancel" x1="{place:.1f}" x2="{place:.1f}" y1="{AXIS}" y2="{height}"/>')
        anchor = "end" if place > WIDTH / 2 else "start"
        words = f"{happening.what} at {round(happening.at, 2):g} s"
        parts.append(
            f'<text class="cancel-label" x="{place:.1f}" y="{height - 1}" text-anchor="{anchor}">{words}</text>'
        )
    size = f"0 0 {WIDTH} {height + 6}"
    return f'<svg class="timeline" viewBox="{size}" role="img" aria-label="{escape(title)}">{"".join(parts)}</svg>'


def _axis(length: float, height: float, x: Scale) -> Iterator[str]:
    step = 10 ** ceil(log10(length / TICKS))
    step = next(part for part in (step / 5, step / 2, step) if length / part <= TICKS)
    for number in range(int(length / step) + 1):
        place = x(number * step)
        yield f'<line class="grid" x1="{place:.1f}" x2="{place:.1f}" y1="{AXIS - 6}" y2="{height}"/>'
        yield f'<text x="{place:.1f}" y="14" text-anchor="middle">{number * step:g} s</text>'


def _attempt(attempt: Attempt, calls: list[SeenCall], top: float, x: Scale, *, now: float) -> Iterator[str]:
    ended = attempt.ended if attempt.ended is not None else max(now, attempt.began)
    left, width = x(attempt.began), max(LEAST, x(ended) - x(attempt.began))
    kind = attempt.outcome if attempt.outcome in {"completed", "cancelled", "running"} else "failure"
    words = f"attempt {attempt.number}: {attempt.began:.1f} to {ended:.1f} s, {attempt.outcome}"
    words += f": {attempt.message}" if attempt.message else ""
    yield (
        f'<rect class="{kind}" x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{BAR}" rx="2">'
        f"<title>{escape(words)}</title></rect>"
    )
    if attempt.backoff:
        middle = top + BAR / 2
        begin, end = left + width + 1, min(x(ended + attempt.backoff), WIDTH - RIGHT)
        yield (
            f'<line class="backoff" x1="{begin:.1f}" x2="{end:.1f}" y1="{middle}" y2="{middle}">'
            f"<title>backoff of {round(attempt.backoff, 2):g} s</title></line>"
        )
    for call in calls:
        place = x(call.at)
        words = f"{call.name} call {call.number} at {call.at:.1f} s: {call.status or 'no answer'}"
        if call.fault:
            yield (
                f'<circle class="fault" cx="{place + 1.5:.1f}" cy="{top:.1f}" r="4.5">'
                f"<title>{escape(words)}, {escape(', '.join(call.faults))}</title></circle>"
            )
        else:
            yield (
                f'<line class="call" x1="{place:.1f}" x2="{place:.1f}" y1="{top + 4:.1f}" y2="{top + BAR - 4:.1f}">'
                f"<title>{escape(words)}</title></line>"
            )
