"""The atlas as people look at it: a heat map in one self-contained page, and tables in the terminal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from scenarios.atlas.measured import Cell, Cost, cost, survives
from scenarios.atlas.outages import DEPENDENCIES, LENGTHS, WAYS
from scenarios.pages import render

ATLAS = Path(__file__).parent / "templates" / "atlas.html.j2"

SHADES = ((5, 1), (30, 2), (120, 3))
"""Up to so many seconds after the dependency is back, a cell that survived has this shade; longer, the darkest."""

WAY_WORDS = {
    "refused": "connections refused",
    "hangs": "hangs",
    "503": "503",
    "429": "429, Retry-After 30",
    "idle": "answers without doing",
}


@dataclass(frozen=True)
class Shown:
    """A cell as it is drawn."""

    text: str
    style: str
    title: str
    changed: bool = False


def atlas_page(
    cells: Sequence[Cell], other: Sequence[Cell] = (), policy: str = "", *, seed: int, interrupted: bool = False
) -> str:
    """Return the page.

    Args:
        cells: with the application's policies.
        other: the same cells under another policy.
        policy: that policy, in words.
        seed: of the run.
        interrupted: whether some are missing.
    """
    return render(
        ATLAS,
        lengths=list(LENGTHS),
        ways=WAY_WORDS,
        maps=_maps(cells, other),
        survives=survives(cells),
        survives_other=survives(other) if other else {},
        cost=cost(cells),
        cost_other=cost(other) if other else None,
        policy=policy,
        seed=seed,
        interrupted=interrupted,
        problems=[cell for cell in (*cells, *other) if cell.problems],
        total=len(cells),
    )


def _maps(cells: Sequence[Cell], other: Sequence[Cell]) -> list[dict[str, Any]]:
    """Return a map for each dependency: rows by step and way, columns by length, one side or two."""
    found = _by_place(cells)
    against = _by_place(other)
    maps = []
    for dependency in DEPENDENCIES:
        steps = []
        for step in dependency.steps:
            rows = []
            for way in WAYS:
                places = [(dependency.name, step.name, way, length) for length in LENGTHS]
                if any(place in found for place in places):
                    sides = [[_shown(found.get(place)) for place in places]]
                    if against:
                        sides.append([_shown(against.get(place), found.get(place)) for place in places])
                    rows.append({"way": WAY_WORDS[way], "sides": sides})
            if rows:
                steps.append({"name": step.name, "rows": rows})
        if steps:
            maps.append({"name": dependency.name, "steps": steps})
    return maps


def _by_place(cells: Sequence[Cell]) -> Mapping[tuple[str, str, str, str], Cell]:
    return {(c.outage.dependency.name, c.outage.step.name, c.outage.way, c.outage.length): c for c in cells}


def _shown(cell: Cell | None, before: Cell | None = None) -> Shown:
    if cell is None:
        return Shown("", "missing", "not run")
    title = (
        f"{'COMPLETED' if cell.survived else f'{cell.outcome} in {cell.failed_step}'} after {cell.took_s:.1f} s; "
        + (f"{cell.after_s:.1f} s after it was back; " if cell.after_s is not None else "before it was back; ")
        + f"{cell.calls} calls meanwhile; {cell.in_vain} GPU jobs in vain"
        + ("; " + "; ".join(cell.problems) if cell.problems else "")
    )
    changed = before is not None and before.survived != cell.survived
    if cell.problems:
        return Shown("?", "unsure", title, changed)
    jobs = f" ·{cell.in_vain}" if cell.in_vain else ""
    if not cell.survived:
        cut = "cut" if cell.outcome == "WORKFLOW_TIMED_OUT" else "✗"
        return Shown(f"{cut} {seconds(cell.took_s)}{jobs}", "lost", title, changed)
    if cell.after_s is None:
        return Shown(f"✓{jobs}", "kept shade-1", title, changed)
    shade = next((shade for most, shade in SHADES if cell.after_s <= most), 4)
    return Shown(f"+{seconds(cell.after_s)}{jobs}", f"kept shade-{shade}", title, changed)


def seconds(value: float) -> str:
    """Return a duration in few characters."""
    if value < 100:
        return f"{value:.0f} s" if value >= 10 or value == int(value) else f"{value:.1f} s"
    return f"{value / 60:.0f} min" if value < 7200 else f"{value / 3600:.0f} h"


def terminal(cells: Sequence[Cell]) -> str:
    """Return the atlas as a table: a line for each dependency, step and way; then what every step survives."""
    lines = [f"{'':44}" + "".join(f"{length:>12}" for length in LENGTHS)]
    found = _by_place(cells)
    places = sorted(
        {key[:3] for key in found},
        key=lambda key: (
            [dependency.name for dependency in DEPENDENCIES].index(key[0]),
            [step.name for each in DEPENDENCIES if each.name == key[0] for step in each.steps].index(key[1]),
            list(WAYS).index(key[2]),
        ),
    )
    for (dependency, step), rows in groupby(places, key=lambda key: key[:2]):
        lines.append(f"{dependency}, from {step} on")
        lines += [
            f"  {WAY_WORDS[way]:42}" + "".join(f"{_shown(found.get((*key, length))).text:>12}" for length in LENGTHS)
            for key in rows
            for way in key[2:]
        ]
    lines.append("")
    lines.append(
        "+3 s: pictures, 3 s after it was back; ✓: pictures, before it was; ✗ 7 s: failed then; "
        "cut 1 h: by the execution timeout; ·2: two GPU jobs in vain"
    )
    lines.append("")
    lines.append("The longest outage that every step survives:")
    for dependency, ways in survives(cells).items():
        lines.append(f"  {dependency:20}" + ", ".join(f"{WAY_WORDS[way]}: {length}" for way, length in ways.items()))
    return "\n".join(lines)


def compared(mine: Cost, other: Cost, policy: str, total: int) -> str:
    """Return what another policy buys and costs, in a sentence."""
    return (
        f"{policy}: {other.survived} of {total} outages survived instead of {mine.survived}, for {other.calls} calls "
        f"to what is away instead of {mine.calls}, {other.in_vain} GPU jobs in vain instead of {mine.in_vain}, and "
        f"{other.seconds / 3600:.1f} hours of try-ons instead of {mine.seconds / 3600:.1f}"
    )
