"""Takes the reports of all who generate a run's load, and writes the records down, one line each."""

import json
import sys
from dataclasses import dataclass, field
from typing import Any

from loadtests.arrivals import arrivals, share
from loadtests.mix import Mix
from loadtests.plan import Plan
from loadtests.record import Record


def say(words: str) -> None:
    """Tell whoever started this process something in a sentence."""
    print(json.dumps({"said": words}), flush=True)


@dataclass
class Source:
    """One process that generates a share of the load.

    Attributes:
        index: which share is its own.
        name: what it is called; empty for the one that reports by itself.
        ahead_s: how far its clock was ahead of the master's, give or take `within_s`. Its instants are corrected by it.
        died: whether it is gone without a last report.
    """

    index: int
    name: str = ""
    ahead_s: float = 0.0
    within_s: float = 0.0
    died: bool = False
    report: dict[str, Any] = field(default_factory=dict)
    open: dict[int, str] = field(default_factory=dict)
    """What it has begun and not ended: records by number, as they were then."""
    seen: set[int] = field(default_factory=set)

    @property
    def done(self) -> bool:
        """Whether it has sent its last report."""
        return bool(self.report.get("last"))

    def told(self) -> dict[str, Any]:
        """Return what the report of the run says of it."""
        figures = {"name": self.name, "ahead_s": self.ahead_s, "within_s": self.within_s, "died": self.died}
        return figures | {"arrivals": len(self.seen)}


class Collector:
    """Takes the reports of all sources and writes the records down, one line each; progress goes to stdout."""

    def __init__(self, plan: Plan, mix: Mix) -> None:
        self._plan = plan
        self._mix = mix
        self.stopped: float | None = None
        """When the run was interrupted, in Unix seconds."""
        self.begun: float | None = None
        self.sources: dict[int, Source] = {} if plan.load_workers else {0: Source(0)}
        self._file = plan.records.open("w", encoding="utf-8")
        self._written = 0

    @property
    def complete(self) -> bool:
        """Whether every source has sent its last report, or has died."""
        told = sum(source.done or source.died for source in self.sources.values())
        return told == self._plan.generators

    def take(self, message: dict[str, Any]) -> None:
        """Take one report of one source."""
        source = self.sources[message["index"]]
        for line in message.pop("started"):
            number = json.loads(line)["number"]
            source.open[number] = line
            source.seen.add(number)
        for line in message.pop("records"):
            number = json.loads(line)["number"]
            source.open.pop(number, None)
            source.seen.add(number)
            self._write(line)
        self._file.flush()
        source.report = message
        reports = [source.report for source in self.sources.values() if source.report]
        in_flight = sum(report["in_flight"] for report in reports)
        dropped = sum(report["dropped"] for report in reports)
        print(json.dumps({"ended": self._written, "in_flight": in_flight, "dropped": dropped}), flush=True)

    def close(self) -> None:
        """Write what became of the shares of those who died, and, as the last line, what the report needs besides."""
        for source in self.sources.values():
            if source.died and not source.done:
                self._lose(source)
        end: dict[str, Any] = {
            "begun": self.begun,
            "left_out": list(self._mix.left_out),
            "complete": self.complete,
            "run": self._plan.run,
            "stopped": self.stopped,
            "workers": [source.told() for source in self.sources.values() if source.name],
        }
        self._file.write(json.dumps(end) + "\n")
        self._file.close()
        if not self.complete:
            print("a load generator sent no last report: its records are missing", file=sys.stderr)

    def _write(self, line: str) -> None:
        self._file.write(line + "\n")
        self._written += 1

    def _lose(self, source: Source) -> None:
        """Write what a dead source had begun as it was, and the rest of its share as not started."""
        code = f"load worker {source.name} died"
        for line in source.open.values():
            record = Record(**json.loads(line))
            record.code = code
            self._write(record.as_json())
        for number, due in self._rest_of(source):
            case = self._mix.choose(self._plan.seed, number).name
            self._write(Record(number, case, due, outcome="not started", code=code).as_json())

    def _rest_of(self, source: Source) -> list[tuple[int, float]]:
        """Return the arrivals of its share that nobody has heard of; of closed users one more each."""
        plan, begun = self._plan, self.begun or 0.0
        until = self.stopped or float("inf")
        if plan.model == "open":
            planned = share(arrivals(plan.shape, plan.rate, plan.seconds, plan.seed), source.index, plan.generators)
            rest = [(number, begun + offset) for number, offset in planned if number not in source.seen]
            return [(number, due) for number, due in rest if due < until]
        after = min(until, begun + plan.seconds)
        users = range(source.index, plan.users, plan.generators)
        last = {user: max((one for one in source.seen if one % plan.users == user), default=None) for user in users}
        return [(user if number is None else number + plan.users, after) for user, number in last.items()]
