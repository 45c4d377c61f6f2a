"""The report of a contract run: one entry for each line of the contract, and what deviates from it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal, TypeVar

T = TypeVar("T")


class Deviation(Exception):  # noqa: N818 - the word for it
    """What a service did otherwise than the contract says; one line, or a line and a diff."""

    def __init__(self, what: str, diff: list[str] | None = None) -> None:
        super().__init__(what)
        self.diff = diff or []


AFTER_ANOTHER = "a line before it deviates"


class NotLooked(Exception):  # noqa: N818 - it is no error of its own
    """A line could not be looked at, because one before it deviates."""


@dataclass(frozen=True)
class Line:
    """One line of the contract and what became of it. `place` is where the specification says it."""

    service: str
    says: str
    place: str
    outcome: Literal["holds", "taken otherwise", "deviates", "not looked at"]
    reason: str = ""
    diff: list[str] = field(default_factory=list)


class Report:
    """Collects the lines of one service."""

    def __init__(self, service: str) -> None:
        """Begin an empty report."""
        self.service = service
        self.lines: list[Line] = []
        self._taken: list[str] = []

    def takes(self, what: str) -> None:
        """Note what the service does otherwise in the line that is looked at, and the pipeline takes all the same."""
        if what not in self._taken:
            self._taken.append(what)

    @contextmanager
    def line(self, says: str, place: str) -> Iterator[None]:
        """Write down whether the line holds: it does when the block raises neither Deviation nor NotLooked."""
        self._taken.clear()
        try:
            yield
        except Deviation as deviation:
            self.lines.append(Line(self.service, says, place, "deviates", str(deviation), deviation.diff))
        except NotLooked as reason:
            self.lines.append(Line(self.service, says, place, "not looked at", str(reason)))
        else:
            outcome: Literal["holds", "taken otherwise"] = "taken otherwise" if self._taken else "holds"
            self.lines.append(Line(self.service, says, place, outcome, "; ".join(self._taken)))

    @property
    def deviations(self) -> list[Line]:
        """The lines that do not hold."""
        return [line for line in self.lines if line.outcome == "deviates"]


def needed(value: T | None) -> T:
    """Return what an earlier line found.

    Raises:
        NotLooked: it found nothing.
    """
    if value is None:
        raise NotLooked(AFTER_ANOTHER)
    return value


def expect(holds: bool, otherwise: str) -> None:
    """Raise a deviation with these words unless the condition holds."""
    if not holds:
        raise Deviation(otherwise)


MARKS = {"holds": "✓", "taken otherwise": "~", "deviates": "✗", "not looked at": "·"}


def render(reports: list[Report]) -> str:
    """Return the report as text: a line each, the diff below those that deviate, a summary at the end."""
    text = []
    for report in reports:
        text += [report.service]
        for line in report.lines:
            text.append(f"  {MARKS[line.outcome]} {line.says}")
            if line.outcome == "taken otherwise":
                text.append(f"      not as specified; the pipeline takes it: {line.reason}")
            if line.outcome == "not looked at" and line.reason != AFTER_ANOTHER:
                text.append(f"      {line.reason}")
            if line.outcome == "deviates":
                text.append(f"      contract: {line.place}")
                text.append(f"      {line.reason}")
                text += [f"      {row}" for row in line.diff]
    lines = [line for report in reports for line in report.lines]
    counts = {outcome: sum(line.outcome == outcome for line in lines) for outcome in MARKS}
    text.append(f"{len(lines)} lines of the contract: " + ", ".join(f"{n} {what}" for what, n in counts.items() if n))
    return "\n".join(text)
