"""A finding on disk: the plan, the story beside the model's, a scenario for the catalogue, and the timeline."""

import re
from dataclasses import fields, replace
from pathlib import Path
from pprint import pformat
from textwrap import indent

from scenarios.explore.explorer import Finding
from scenarios.explore.tryon.application import judged
from scenarios.explore.tryon.plans import as_json
from scenarios.model import Story, Undecided, stories
from scenarios.model.compare import nearest
from scenarios.model.observed import observed
from scenarios.plans import Plan, scenario_of
from scenarios.scenario import Rule
from scenarios.stories.drawing import card, page
from scenarios.stories.report import story as report
from scenarios.stories.run import Run

WIDTH = 66


def write_finding(folder: Path, finding: Finding[Plan], run: Run | None) -> Path:
    """Write a finding into a folder of its own, and return that.

    Args:
        folder: of all findings.
        finding: with its smallest plan.
        run: of that plan, which gets the problems that it is judged by; None when a run before this one made it
            (RESUME).
    """
    plan = finding.shrunk.plan
    if run is not None:
        run.problems = list(judged(plan, run).problems)
    where = folder / plan.name
    where.mkdir(parents=True, exist_ok=True)
    (where / "plan.json").write_text(as_json(plan), encoding="utf-8")
    (where / "scenario.py").write_text(as_scenario(plan), encoding="utf-8")
    (where / "story.txt").write_text(told(finding, run, where / "plan.json"), encoding="utf-8")
    if run is not None:
        (where / "timeline.html").write_text(page([card(run)]), encoding="utf-8")
    return where


def told(finding: Finding[Plan], run: Run | None, where: Path) -> str:
    """Tell a finding: what is wrong, what passes beside it, what happened beside what may happen."""
    shrunk = finding.shrunk
    wrong = "one thing is" if len(shrunk.seen.problems) == 1 else f"{len(shrunk.seen.problems)} things are"
    have = "one plan has" if finding.plans == 1 else f"{finding.plans} plans have"
    lines = [
        f"{wrong} wrong; the first is the cause, which {have}:",
        *(f"  ✗ {problem}" for problem in shrunk.seen.problems),
        "",
        *([f"{how}, it passes" for how in shrunk.passes] or ["no simpler plan passes"]),
        "",
    ]
    if run is not None:
        seen = observed(run)
        lines += ["what happened, and beside it what may happen (► where they first differ):", ""]
        lines += _side_by_side(events(seen), _allowed(shrunk.plan, seen))
        lines += ["", report(run, f"make play PLAN={where} TELL=1")]
    return "\n".join(lines) + "\n"


def _allowed(plan: Plan, seen: Story) -> list[str]:
    try:
        return events(nearest(seen, stories(plan)))
    except Undecided as undecided:
        return [f"the model says nothing: {undecided}"]


def events(story: Story) -> list[str]:
    """Return a story as lines, in time."""
    found: list[tuple[float, int, str]] = []
    for place, attempt in enumerate(story.attempts):
        found.append((attempt.began, 3 * place, f"{attempt.began:8.1f}  {attempt.activity} attempt {attempt.number}"))
        found.append((attempt.ended, 3 * place + 2, f"{attempt.ended:8.1f}    {attempt.outcome}"))
    last = 3 * len(story.attempts)
    for call in story.calls:
        owners = [n for n, each in enumerate(story.attempts) if each.began <= call.at <= each.ended]
        found.append((call.at, 3 * owners[-1] + 1 if owners else last, f"{call.at:8.1f}    {call.name} {call.number}"))
    code = f" {story.code} at {story.step}" if story.code else ""
    found.append((story.length, last + 1, f"{story.length:8.1f}  {story.status}{code}"))
    return [line for *_, line in sorted(found)]


def _side_by_side(left: list[str], right: list[str]) -> list[str]:
    longest = max(len(left), len(right))
    pairs = zip(left + [""] * (longest - len(left)), right + [""] * (longest - len(right)), strict=True)
    lines, differed = [], False
    for one, other in pairs:
        mark = " " if one == other or differed else "►"
        differed = differed or one != other
        lines.append(f"{mark} {one:{WIDTH}} | {other}")
    return lines


def as_scenario(plan: Plan) -> str:
    """Return the plan as Python for the catalogue, with the expectation that the model has."""
    named = plan.model_copy(update={"name": re.sub(r"-[0-9a-f]{12}$", "", plan.name)})
    return (
        '"""Found by `make explore`. The module of its theme in scenarios/catalogue is its place."""\n\n'
        "from scenarios.scenario import Act, Departure, Expect, Lost, Scenario, Staging, rule  # noqa: F401\n\n"
        f"FOUND = {_as_python(named)}\n"
    )


def _as_python(plan: Plan) -> str:
    try:
        story = stories(plan)[0]
        expect = f"Expect(status={story.status!r}, code={story.code!r}, failed_step={story.step!r})"
    except Undecided:
        expect = "Expect(status=None)"
    scenario = replace(scenario_of(plan), theme="found")
    parts = [(field.name, getattr(scenario, field.name)) for field in fields(scenario) if field.init]
    usual = {field.name: field.default for field in fields(scenario)}
    lines = [
        f"{field}={pformat(value, width=100)}"
        for field, value in parts
        if field not in {"rules", "beside", "expect"} and value and value != usual[field]
    ]
    lines.append(f"rules=({''.join(f'{_rule(rule)}, ' for rule in scenario.rules)})")
    lines.append(f"beside=({''.join(f'{_as_python(other)}, ' for other in plan.beside)})")
    lines.append(f"expect={expect}")
    return "Scenario(\n" + "".join(indent(f"{line},\n", "    ") for line in lines) + ")"


def _rule(rule: Rule) -> str:
    fault = {name: value for name, value in rule.fault.items() if name != "kind"}
    more: dict[str, object] = {"calls": rule.calls, "when": dict(rule.when), "must_fire": rule.must_fire}
    said = {name: value for name, value in more.items() if value not in (None, {}, True)} | fault
    words = [repr(word) for word in (rule.service, rule.operation, rule.fault["kind"])]
    return f"rule({', '.join([*words, *(f'{name}={value!r}' for name, value in said.items())])})"
