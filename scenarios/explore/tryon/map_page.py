"""The map of the unexplored: a page for people, and a table for the terminal."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from scenarios.explore.application import Cell
from scenarios.explore.coverage import Coverage
from scenarios.explore.explorer import Explored
from scenarios.explore.tryon.branches import Branches
from scenarios.pages import render
from scenarios.pipeline import OPERATIONS, STEPS
from scenarios.plans import Plan

TEMPLATE = Path(__file__).parent / "templates" / "map.html.j2"
WORDS = {"reached": "reached", "open": "could be, and was not", "impossible": "cannot be"}
MARKS = {"reached": "•", "open": "○", "impossible": ""}
MOST_HOLES = 200
IN_ORDER = (
    *(f"{service}.{name}" for service, names in OPERATIONS.items() for name in names),
    *(step.activity for step in STEPS),
    *(step.name for step in STEPS),
)


@dataclass(frozen=True)
class Table:
    """One table of the map. A row has for each column its state and what is said of it."""

    name: str
    summary: str
    columns: list[str]
    rows: list[tuple[str, list[tuple[str, str]]]]


def map_page(explored: Explored[Plan], title: str, branches: Branches | None = None) -> str:
    """Return the page: what was found, each table of the map, each hole with a plan, branches that never ran."""
    coverage = explored.coverage
    holes = coverage.holes()
    return render(
        TEMPLATE,
        title=title,
        numbers={
            "plans": explored.plans,
            "findings": len(explored.findings),
            "accepted": len(explored.accepted),
            "inconclusive": explored.inconclusive,
            "behaviours": len(coverage.behaviours),
            "cells reached": len(coverage.reached),
            "cells not reached yet": len(holes),
            **({"of the branches of app": f"{branches.ran} of {branches.all}"} if branches else {}),
        },
        why=explored.why,
        words=WORDS,
        marks=MARKS,
        findings=explored.findings,
        tables=[_table(name, cells, coverage) for name, cells in coverage.tables().items()],
        holes=[(" ".join(cell), coverage.nearest.get(cell, "")) for cell in holes[:MOST_HOLES]],
        more=max(0, len(holes) - MOST_HOLES),
        branches=branches,
    )


def _table(name: str, cells: Sequence[Cell], coverage: Coverage) -> Table:
    """Return one table: what comes before the last word of a cell is its row, the last word its column."""
    known = set(cells)
    columns = sorted({cell[-1] for cell in cells}, key=_rank)
    rows = sorted({cell[1:-1] for cell in cells}, key=lambda row: [_rank(word) for word in row])
    return Table(
        name,
        _summary(cells, coverage),
        columns,
        [(" ".join(row), [_told((name, *row, column), coverage, known) for column in columns]) for row in rows],
    )


def _rank(word: str) -> tuple[int, str]:
    """Return what brings words into the order of the pipeline: steps, activities and operations as they come."""
    return next((place for place, known in enumerate(IN_ORDER) if known in word.split()), len(IN_ORDER)), word


def _told(cell: Cell, coverage: Coverage, known: set[Cell]) -> tuple[str, str]:
    state = coverage.state(cell) if cell in known else "impossible"
    plan = coverage.reached.get(cell) or coverage.nearest.get(cell, "")
    return state, f"{' '.join(cell[1:])}: {WORDS[state]}" + (f"; {plan}" if plan else "")


def _summary(cells: Sequence[Cell], coverage: Coverage) -> str:
    counts = Counter(coverage.state(cell) for cell in cells)
    return ", ".join(f"{counts[state]} {words}" for state, words in WORDS.items())


def table(coverage: Coverage) -> str:
    """Return the map as a table for the terminal: a line for each of its tables."""
    return "\n".join(_lines(coverage))


def _lines(coverage: Coverage) -> Iterator[str]:
    yield f"{'the map':34} {'reached':>8} {'not yet':>8} {'cannot':>8}"
    for name, cells in coverage.tables().items():
        counts = Counter(coverage.state(cell) for cell in cells)
        yield f"{name:34} {counts['reached']:8} {counts['open']:8} {counts['impossible']:8}"
