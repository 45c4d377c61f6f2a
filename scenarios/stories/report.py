"""The story of a run, for the person who has to find out why it failed; and the closing table of many."""

import math
from collections.abc import Sequence

from fakes.registry import BLOB
from scenarios.pipeline import BY_ACTIVITY
from scenarios.stories.run import Drawable, Run, SeenCall
from scenarios.virtual import Attempt

MANY = 6
"""From this many calls of the same kind in a row on, the middle ones are left out."""


def story(run: Run, command: str) -> str:
    """Tell a run: what is wrong, what was expected, what happened when, which faults fired, how to run it again."""
    scenario = run.scenario
    lines = [
        f"scenario {scenario.name}: {'passed' if run.passed else 'FAILED'}",
        f"  {scenario.story}",
        *(f"  ✗ {problem}" for problem in run.problems),
        f"  photo {scenario.photo}, workflow {run.workflow_id}, key {run.key}",
        f"  ended {run.status}{_error(run)} after {run.timeline.length:.1f} virtual s, {run.wall_s:.2f} s of wall time",
    ]
    if run.told > 1:
        lines.append(f"  told {run.told} times: each time before, the machine was too busy to prove anything")
    for rule_id, rule in run.rules.items():
        fired = sum(rule_id in call.rules for call in run.calls)
        when = f" on calls {rule.calls}" if rule.calls else ""
        lines.append(f"  rule: {rule.service}.{rule.operation} {dict(rule.fault)}{when}, fired {fired} times")
    lines += ["  timeline, in virtual seconds:", *_timeline(run)]
    lines.append(f"  run it again: {command}")
    return "\n".join(lines)


def _error(run: Run) -> str:
    error = run.error
    if not error:
        return ""
    step = f" at {error['failedStep']}" if error.get("failedStep") else ""
    return f" with {error.get('code')}{step} ({error.get('message')})"


def _timeline(run: Run) -> list[str]:
    entries: list[tuple[float, int, str]] = []
    for place, attempt in enumerate(run.timeline.attempts):
        message = f": {attempt.message}" if attempt.message else ""
        entries.append((attempt.began, 3 * place, f"{attempt.activity} attempt {attempt.number}"))
        if attempt.ended is not None:
            backoff = f"; again in {attempt.backoff:g} s" if attempt.backoff is not None else ""
            entries.append((attempt.ended, 3 * place + 2, f"    {attempt.outcome}{message}{backoff}"))
        entries += [(at, 3 * place + 1, text) for at, text in _shortened(calls_of(run, attempt))]
    entries += [(happening.at, 3 * len(run.timeline.attempts), happening.what) for happening in run.timeline.happenings]
    return [
        f"  {at:9.1f}  {text}" for at, _, text in sorted(entries, key=lambda entry: (entry[1] // 3, entry[0], entry[1]))
    ]


def calls_of(story: Drawable, attempt: Attempt) -> list[SeenCall]:
    """Return the calls that an attempt made: those of its services, at its time, and of its number where known.

    The blob store is not told whose call it is, and most of its calls are no news: only those with a fault count.
    """
    return [call for call in story.calls if _may_be_of(call, attempt) and _caller(story, call) is attempt]


def _may_be_of(call: SeenCall, attempt: Attempt) -> bool:
    end = attempt.ended if attempt.ended is not None else math.inf
    return (
        call.attempt in {None, attempt.number}
        and (call.service != BLOB.name or call.fault is not None)
        and attempt.began <= call.at <= end
        and (step := BY_ACTIVITY.get(attempt.activity)) is not None
        and call.name in step.calls
    )


def _caller(story: Drawable, call: SeenCall) -> Attempt:
    """Return the attempt that made a call; where several may have, the longest of them."""
    able = [attempt for attempt in story.timeline.attempts if _may_be_of(call, attempt)]
    return max(able, key=lambda attempt: (attempt.ended or attempt.began) - attempt.began)


def _shortened(calls: list[SeenCall]) -> list[tuple[float, str]]:
    """Return a line for each call; of a long row of equal ones the first and the last two."""
    lines: list[tuple[float, str]] = []
    row: list[SeenCall] = []

    def flush() -> None:
        shown = row if len(row) < MANY else [row[0], row[1], None, row[-2], row[-1]]
        for call in shown:
            if call is None:
                lines.append((row[2].at, f"    … {len(row) - 4} more of {row[0].name}"))
            else:
                lines.append((call.at, _call(call)))
        row.clear()

    for call in calls:
        if row and (call.name, call.faults, call.status) != (row[0].name, row[0].faults, row[0].status):
            flush()
        row.append(call)
    if row:
        flush()
    return lines


def _call(call: SeenCall) -> str:
    fault = f"  ⚡ {', '.join(call.faults)}" if call.faults else ""
    took = f", {call.duration_s:g} s" if call.duration_s else ""
    status = call.status if call.status is not None else "no answer"
    return f"    {call.name} call {call.number}: {status}{took}{fault}"


def table(runs: Sequence[Run], wall_s: float) -> str:
    """Return the closing table and its line: scenario, outcome, virtual time, wall time; the totals."""
    width = max((len(run.scenario.name) for run in runs), default=8)
    lines = [f"{'scenario':{width}}  {'outcome':34}  {'virtual':>9}  {'wall':>7}"]
    for run in runs:
        mark = "" if run.passed else "  ✗"
        code = run.error.get("code")
        outcome = f"{run.status}{f' {code}' if code else ''}"
        lines.append(
            f"{run.scenario.name:{width}}  {outcome:34}  {run.timeline.length:7.1f} s  {run.wall_s:5.2f} s{mark}"
        )
    virtual = sum(run.timeline.length for run in runs)
    failures = sum(not run.passed for run in runs)
    if failures:
        lines.append(f"{failures} of {len(runs)} scenarios failed")
    if again := sum(run.told > 1 for run in runs):
        lines.append(f"{again} of {len(runs)} scenarios were told again: the machine was too busy the first time")
    ratio = virtual / wall_s if wall_s else 0.0
    many = "s" * (len(runs) != 1)
    lines.append(
        f"{len(runs)} scenario{many}, {virtual / 3600:.2f} virtual hours in {wall_s:.1f} s, {ratio:.0f} times real time"
    )
    return "\n".join(lines)
