"""The services and the store under a plan's rules, as docs/fakes.md says. Nothing of the application is in here."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from scenarios.model.choices import Undecided
from scenarios.model.faults import (
    JOB_KINDS,
    Job,
    Reply,
    changes_a_field,
    damaged,
    in_time,
    is_of_work,
    seen_of_job,
)
from scenarios.scenario import Rule

MAY_DO_NOTHING = {"delay", "cold_start", "poll_errors"}
"""Kinds of which a call may notice nothing: a delay of no time, a service that has started, a poll of no matter."""


@dataclass(frozen=True)
class Matched:
    """The rule that a call meets: its fault, its place in the plan, which call it is, and how long after the first."""

    fault: Mapping[str, Any]
    rule: int
    number: int
    since: float


@dataclass
class Services:
    """The services and the store, as one try-on meets them. `fired` are the places of the rules that acted."""

    rules: tuple[Rule, ...]
    fired: set[int] = field(default_factory=set)
    _counts: dict[tuple[str, str], int] = field(default_factory=dict)
    _first: dict[str, float] = field(default_factory=dict)
    _taken: dict[int, int] = field(default_factory=dict)
    _met: dict[tuple[str, str], int] = field(default_factory=dict)

    def called(self, service: str, operation: str, now: float) -> tuple[int, Matched | None]:
        """Count a call; return its number and the rule that it meets.

        Raises:
            Undecided: it depends on chance or on something that the model does not look at, or several rules act on it.
        """
        number = self._counts[service, operation] = self._counts.get((service, operation), 0) + 1
        since = now - self._first.setdefault(service, now)
        met = [
            Matched(rule.fault, place, number, since)
            for place, rule in enumerate(self.rules)
            if rule.service == service and rule.operation in {operation, "*"} and self._acts(place, rule, number, since)
        ]
        if len(met) > 1:
            raise Undecided(f"two rules act on {service}.{operation} call {number}")
        for each in met:
            self._taken[each.rule] = self._taken.get(each.rule, 0) + 1
            self._met[service, operation] = each.rule
        return number, met[0] if met else None

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

    def acted(self, service: str, operation: str) -> None:
        """Note that the fault which a service's operation met last was seen."""
        self.fired |= {place for (name, what), place in self._met.items() if (name, what) == (service, operation)}

    def answer(self, matched: Matched | None, truth: dict[str, Any]) -> Reply:
        """Return what a call is answered that would be answered with that JSON.

        Raises:
            Undecided: the fault is one that the model does not know.
        """
        if matched is None:
            return Reply(json=truth)
        fault = matched.fault
        if is_of_work(fault):
            return Reply(json=truth, lie=fault["kind"])  # whether it acts is known by who looks at job or picture
        reply = in_time(fault, truth, matched.number, matched.since) or damaged(fault, truth)
        if changes_a_field(fault) and reply.json == truth:
            return reply  # the field is not there, or as it would be anyway
        if fault["kind"] not in MAY_DO_NOTHING or reply != Reply(json=truth):
            self.fired.add(matched.rule)
        return reply

    def submitted(self, matched: Matched | None, now: float, result: str) -> Job:
        """Return the job that a submit makes now, whose result's field has that name."""
        job = Job(now, now, result)
        if matched is not None and is_of_work(matched.fault):
            job.fault, job.rule = matched.fault, matched.rule
            if matched.fault["kind"] == "job_slow":
                if matched.fault.get("seconds") is None:
                    raise Undecided("how long a job takes is the profile's business")
                job.ready = now + float(matched.fault["seconds"])
                self.fired.add(matched.rule)
        return job

    def seen(self, job: Job, matched: Matched | None, now: float) -> dict[str, Any] | None:
        """Return the JSON that a poll of a job gives now, None for 404: the truth, with the lies of submit and poll."""
        truth: dict[str, Any] | None = {"status": "processing"}
        if now >= job.ready - 1e-9:
            truth = {"status": "completed", job.result: "its own"}
        poll = (matched.fault, matched.rule) if matched and matched.fault["kind"] in JOB_KINDS else None
        for fault, rule in ((job.fault, job.rule), poll or (None, None)):
            if fault is None or rule is None:
                continue
            told = seen_of_job(fault, truth, job, now)
            if told != truth:
                self.fired.add(rule)
            truth = told
        if job.lie and truth and truth.get(job.result) and job.rule is not None:
            self.fired.add(job.rule)
        return truth


def _within(calls: str, number: int) -> bool:
    for part in calls.split(","):
        first, dash, last = part.strip().partition("-")
        end = (math.inf if not last else int(last)) if dash else int(first)
        if int(first) <= number <= end:
            return True
    return False
