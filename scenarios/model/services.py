"""The services and the store under a plan's rules, as docs/fakes.md says. Nothing of the application is in here."""

import math
from dataclasses import dataclass, field
from typing import Any

from scenarios.model.answers import answered
from scenarios.model.choices import Undecided
from scenarios.model.faults import (
    JOB_KINDS,
    OWN,
    PICTURE_KINDS,
    Job,
    Matched,
    Reply,
    contradict,
    seen_of_job,
)
from scenarios.scenario import Rule

INSTANT = 6
"""Digits of a second (docs/fakes.md): what differs by less is one instant."""
Met = tuple[Matched, ...]
"""The rules that a call meets, in their order."""


@dataclass
class Services:
    """The services and the store, as one try-on meets them. `fired` are the places of the rules that acted."""

    rules: tuple[Rule, ...]
    fired: set[int] = field(default_factory=set)
    _counts: dict[tuple[str, str], int] = field(default_factory=dict)
    _first: dict[str, float] = field(default_factory=dict)
    _taken: dict[int, int] = field(default_factory=dict)

    def called(self, service: str, operation: str, now: float) -> tuple[int, Met]:
        """Count a call; return its number and the rules that it meets.

        Raises:
            Undecided: it depends on chance or on something that the model does not look at.
        """
        number = self._counts[service, operation] = self._counts.get((service, operation), 0) + 1
        since = round(now - self._first.setdefault(service, now), INSTANT)
        met: list[Matched] = []
        for place, rule in enumerate(self.rules):
            concerns = rule.service == service and rule.operation in {operation, "*"}
            if not concerns or any(contradict(rule.fault["kind"], each.kind) for each in met):
                continue
            if self._acts(place, rule, number, since):
                met.append(Matched(rule.fault, place, number, since))
                self._taken[place] = self._taken.get(place, 0) + 1
        return number, tuple(met)

    def _acts(self, place: int, rule: Rule, number: int, since: float) -> bool:
        when = dict(rule.when)
        if "p" in when or "body" in when:
            raise Undecided("a rule goes by chance, or by what a request holds")
        begin = when.get("after_s", 0.0)
        return (
            (rule.calls is None or _within(rule.calls, number))
            and number % int(when.get("every", 1)) == 0
            and since >= begin
            and since < begin + when.get("for_s", math.inf)
            and self._taken.get(place, 0) < when.get("max_hits", math.inf)
        )

    def acted(self, met: Matched) -> None:
        """Note that a fault was seen."""
        self.fired.add(met.rule)

    def answer(self, met: Met, truth: dict[str, Any] | None) -> Reply:
        """Return what a call is answered that would be answered with that JSON; None: the job is not known.

        Raises:
            Undecided: a fault is one that the model does not know.
        """
        return answered(met, truth, self.acted)

    def submitted(self, met: Met, now: float, result: str) -> Job:
        """Return the job that a submit makes now, whose result's field has that name."""
        job = Job(now, now, result, tuple(each for each in met if each.kind in JOB_KINDS | PICTURE_KINDS))
        for each in met:
            if each.kind == "job_slow":
                if each.fault.get("seconds") is None:
                    raise Undecided("how long a job takes is the profile's business")
                job.ready = now + float(each.fault["seconds"])
                self.acted(each)
        return job

    def seen(self, job: Job, met: Met, now: float) -> tuple[dict[str, Any] | None, Met]:
        """Return the JSON that a poll of a job gives now, None for 404, and the rules that it shows, if it is given.

        It is the truth, with the lies of submit and poll.
        """
        shown: list[Matched] = []
        truth: dict[str, Any] | None = {"status": "processing"}
        if job.is_ready(now):
            truth = {"status": "completed", job.result: OWN}
        for each in (*job.faults, *met):
            told = seen_of_job(each.fault, truth, job, now)
            if told != truth:
                shown.append(each)
            truth = told
        if truth and truth.get(job.result):
            shown += job.lies
        return truth, tuple(shown)


def _within(calls: str, number: int) -> bool:
    for part in calls.split(","):
        first, dash, last = part.strip().partition("-")
        end = (math.inf if not last else int(last)) if dash else int(first)
        if int(first) <= number <= end:
            return True
    return False
