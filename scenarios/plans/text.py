"""Plans as text: read from JSON, with what is wrong with one that is refused, and written for people."""

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from scenarios.plans.plan import Plan

VERSION = 1


class PlanInvalid(Exception):  # noqa: N818 - reads as what it is: this plan is invalid
    """A plan cannot be used. The message has a line for each thing that is wrong: where, what, and what to do."""


def read_plan(where: Path) -> Plan:
    """Read a plan from a file.

    Raises:
        PlanInvalid: it is not there, is no JSON, or is no plan that can be used.
    """
    try:
        text = where.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        raise PlanInvalid(f"{where}: cannot be read: {why}") from error
    return parsed(text, str(where))


def parsed(text: str, where: str) -> Plan:
    """Return the plan in a text; `where` is its name in messages.

    Raises:
        PlanInvalid: it is no JSON, or no plan that can be used.
    """
    try:
        data = json.loads(text)
    except ValueError as error:
        raise PlanInvalid(f"{where}: is no JSON: {error}") from error
    if not isinstance(data, dict):
        raise PlanInvalid(f"{where}: a plan is a JSON object, as `make explore` writes them (docs/exploring.md)")
    if data.get("version") != VERSION:
        said = "has no version" if "version" not in data else f"is of version {data['version']!r}"
        raise PlanInvalid(f'{where}: {said}; this harness reads version {VERSION}: give "version": {VERSION}')
    try:
        return Plan.model_validate_json(text)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        lines = [f"{where}: {_place(each['loc'])}{each['msg'].removeprefix('Value error, ')}" for each in problems]
        raise PlanInvalid("\n".join(lines)) from error


def _place(location: tuple[int | str, ...]) -> str:
    """Return `rules[0].fault.kind: ` for ("rules", 0, "fault", "kind"); nothing for the plan itself."""
    words = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return f"{words.removeprefix('.')}: " if words else ""


def written(plan: Plan) -> str:
    """Return the plan as JSON for people: what is as usual is left out, the version stands first."""
    return json.dumps({"version": VERSION, **_said(plan)}, indent=2, ensure_ascii=False) + "\n"


def _said(plan: Plan) -> dict[str, Any]:
    said = plan.model_dump(mode="json", exclude_defaults=True)
    if plan.beside:
        said["beside"] = [{"version": VERSION, **_said(other)} for other in plan.beside]
    return said
