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
BRANCHES_BY_MONITORING = (3, 14)
"""From this Python on coverage.py sees branches by `sys.monitoring`, which costs next to nothing."""


@dataclass(frozen=True)
class Branch:
    """A way that the code could go and never went: from a line to another one, or out of its function."""

    file: str
    line: int
    source: str
    to: str


@dataclass
class Branches:
    """What was seen of the branches. Filled once nothing is watched any more."""

    ran: int = 0
    all: int = 0
    never: list[Branch] = field(default_factory=list)

    @property
    def summary(self) -> str:
        """How many ran."""
        return f"{self.ran} of {self.all} branches of app ran"


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
    if sys.version_info >= BRANCHES_BY_MONITORING:
        coverage.set_option("run:core", "sysmon")
    branches = Branches()
    coverage.start()
    try:
        yield branches
    finally:
        coverage.stop()
        with suppress(NoDataError):  # it was stopped before anything of it ran
            _read(coverage, branches)


def _read(coverage: Coverage, branches: Branches) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "coverage.json"
        coverage.json_report(outfile=str(path), ignore_errors=True)
        report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    branches.ran, branches.all = report["totals"]["covered_branches"], report["totals"]["num_branches"]
    for file, seen in report["files"].items():
        lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
        for line, to in seen["missing_branches"]:
            where = lines[to - 1].strip() if to > 0 else "out of the function"
            branches.never.append(Branch(file, line, lines[line - 1].strip(), where))
