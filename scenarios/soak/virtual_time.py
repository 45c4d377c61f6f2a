"""Thousands of try-ons with random faults in virtual time: the invariants of every scenario hold for each of them."""

import logging
import time
from collections import Counter

import psutil
import structlog

from fakes.registry import BLOB, SERVICES
from scenarios.gateway_client import STROKES
from scenarios.pipeline import service_of
from scenarios.scenario import Expect, Rule, Scenario
from scenarios.soak.faults import Called, End, implied_end, random_faults, unlucky
from scenarios.stories.run import Run
from scenarios.world.simulation import Simulation

EVERY = 100
"""Try-ons between two lines of progress."""


class _Soak:
    """Judges each run as it comes and keeps what it needs: a few numbers, no history."""

    def __init__(self, workflows: int) -> None:
        self.workflows = workflows
        self.outcomes: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.calls = 0
        self.virtual_s = 0.0
        self.wrong: list[str] = []
        self.began = time.perf_counter()

    def take(self, run: Run) -> None:
        calls = [
            Called(service_of(call.service), call.operation, call.attempt or 0, call.faults)
            for call in sorted(run.calls, key=lambda call: call.at)
            if call.service != BLOB.name
        ]
        implied = implied_end(calls)
        end = End(run.status, run.error.get("code"), run.error.get("failedStep"))
        if implied != end:
            run.problems.append(f"it ended as {end}, its calls imply {implied}")
        self.wrong += [f"{run.key}: {problem}" for problem in run.problems]
        self.outcomes[" ".join(filter(None, (end.status, end.code)))] += 1
        self.faults.update(fault for call in calls for fault in call.faults)
        self.calls += len(calls)
        self.virtual_s += run.timeline.length
        run.history, run.answer, run.output, run.calls, run.samples = None, {}, None, [], []
        done = self.outcomes.total()
        if done % EVERY == 0:
            memory = psutil.Process().memory_info().rss / 1e6
            wall = time.perf_counter() - self.began
            _say(f"{done} of {self.workflows} after {wall:.0f} s; {self.faults.total()} faults; {memory:.0f} MB here")


def soak(workflows: int, seed: int) -> int:
    """Run them and report. Exit codes: 0 nothing is wrong, 1 something is."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.disable(logging.CRITICAL)  # failed attempts are what this is about
    with Simulation(seed=seed) as simulation:
        seen = _Soak(workflows)
        runs = simulation.run_all(map(_scenario, range(workflows)), done=seen.take)
        wall = time.perf_counter() - seen.began
    late = [f"{run.key}: {run.problems[-1]}" for run in runs if run.problems and "came later" in run.problems[-1]]
    wrong = seen.wrong + late
    if not seen.faults:
        wrong.append("no fault happened")
    for line in wrong[:20]:
        _say(f"wrong: {line}")
    _say(f"{len(runs)} try-ons: {dict(seen.outcomes.most_common())}")
    _say(f"{seen.faults.total()} faults in {seen.calls} calls: {dict(seen.faults.most_common())}")
    hours = seen.virtual_s / 3600
    _say(f"{len(wrong)} wrong; {hours:.1f} virtual hours in {wall:.0f} s, {seen.virtual_s / wall:.0f} times real time")
    return 1 if wrong else 0


def _scenario(number: int) -> Scenario:
    chances = (
        Rule(service, operation, fault, when={"p": share}, must_fire=False)
        for service in SERVICES
        for operation, fault, share in random_faults(service)
    )
    lasting = unlucky(number)
    always = () if lasting is None else (Rule(*lasting, must_fire=False),)
    return Scenario(
        name="soak",
        story="Five of a hundred calls to services meet a fault.",
        theme="soak",
        photo="far",
        strokes=tuple(STROKES),
        rules=(*always, *chances),
        expect=Expect(status=None),
    )


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - the command's own voice
