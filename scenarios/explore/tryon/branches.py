"""The branches of the application that no plan ever ran, by coverage.py: what the map cannot see from outside."""

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from coverage import Coverage
from coverage.exceptions import NoDataError

ROOT = Path(__file__).resolve().parents[3]
ON_THE_WAY = ("attempts", "errors", "gateway", "pictures", "pipeline", "services")
"""The packages of `app` that a try-on goes through; the doctor and what keeps a process going are no part of it."""


@dataclass(frozen=True)
class Branch:
    """A way that the code could go and never went: from a line to another one, or out of its function.

    `nearest` is the first plan that came to the line, of those that ran alone; empty when none did.
    """

    file: str
    line: int
    source: str
    to: str
    nearest: str


@dataclass
class Branches:
    """What was seen of the branches. Filled once nothing is watched any more."""

    coverage: Coverage
    ran: int = 0
    all: int = 0
    never: list[Branch] = field(default_factory=list)
    alone: list[str] = field(default_factory=list)
    """The plans that ran alone, in their order."""

    @property
    def summary(self) -> str:
        """How many ran."""
        return f"{self.ran} of {self.all} branches of app ran"

    @contextmanager
    def by(self, plan: str) -> Iterator[None]:
        """Note which lines a plan comes to that runs alone within the block."""
        self.alone.append(plan)
        self.coverage.switch_context(plan)
        if sys.version_info >= (3, 14):
            sys.monitoring.restart_events()  # else no line is seen twice
        try:
            yield
        finally:
            self.coverage.switch_context("")


@contextmanager
def watched_branches() -> Iterator[Branches]:
    """Watch which branches run, in threads that begin within the block too."""
    coverage = Coverage(
        data_file=None,
        branch=True,
        config_file=False,
        source=[str(ROOT / "app" / package) for package in ON_THE_WAY],
        omit=["*/__main__.py"],
    )
    if sys.version_info >= (3, 14):  # from here on it sees branches by sys.monitoring, which costs next to nothing
        coverage.set_option("run:core", "sysmon")
    branches = Branches(coverage)
    coverage.start()
    try:
        yield branches
    finally:
        coverage.stop()
        with suppress(NoDataError):  # it was stopped before anything of it ran
            _read(branches)


def _read(branches: Branches) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "coverage.json"
        branches.coverage.json_report(outfile=str(path), ignore_errors=True, show_contexts=True)
        report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    branches.ran, branches.all = report["totals"]["covered_branches"], report["totals"]["num_branches"]
    for file, seen in report["files"].items():
        lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
        for line, to in seen["missing_branches"]:
            where = lines[to - 1].strip() if to > 0 else "out of the function"
            came = set(seen["contexts"].get(str(line), []))
            nearest = next((plan for plan in branches.alone if plan in came), "")
            branches.never.append(Branch(file, line, lines[line - 1].strip(), where, nearest))
