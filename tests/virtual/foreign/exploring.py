"""The reports of `polling` as an application that the explorer explores: its plans, and what must hold of their runs.

This is all that an application gives: it needs no ledger, no plan as JSON, and no model as large as the try-on's.
"""

import asyncio
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Any
from uuid import uuid4

from temporalio.client import WorkflowFailureError

from scenarios.explore.application import Change, Seen, Simpler, Site
from tests.virtual.foreign import polling
from tests.virtual.foreign.conftest import World
from tests.virtual.foreign.reports import TROUBLE, Call, Reports


@dataclass(frozen=True)
class Month:
    """A plan: at which question the report is done, and what is wrong with which call."""

    done_at: int = 1
    trouble: tuple[tuple[Call, str], ...] = ()

    def but(self, call: Call, kind: str | None) -> "Month":
        """Return the plan with other trouble at a call, or with none."""
        rest = [each for each in self.trouble if each[0] != call]
        return replace(self, trouble=tuple(sorted([*rest, *([(call, kind)] if kind else [])])))


@dataclass(frozen=True)
class Told:
    """A story: its calls, how it ends, and after how many seconds."""

    calls: tuple[Call, ...]
    end: str
    seconds: float


def model(month: Month) -> Told:
    """Return what a plan must come to: three attempts, 2 and 4 s between, a question every 5 s, and one order."""
    calls: list[Call] = []
    trouble, ordered, now = dict(month.trouble), False, 0.0

    def asked(operation: str) -> str | None:
        calls.append((operation, sum(call[0] == operation for call in calls) + 1))
        return trouble.get(calls[-1])

    for wait in (2, 4, 0):
        wrong = None if ordered else asked("order")
        ordered = ordered or not wrong
        while not wrong:
            wrong = asked("ask")
            if not wrong and calls[-1][1] >= month.done_at:
                return Told(tuple(calls), "done", now)
            now += 0 if wrong else 5
        if wrong == "gave up":
            break
        now += wait
    return Told(tuple(calls), "failed", now)


class Months:
    """The application: `runner` has the loop and `world` the server, `make_report` is the activity under test."""

    def __init__(self, runner: asyncio.Runner, world: World, make_report: Callable[..., Any]) -> None:
        self._runner, self._world, self._make_report = runner, world, make_report

    def starts(self) -> Sequence[Month]:
        return [Month(), Month(done_at=4)]

    def faults(self, plan: Month, sites: Iterable[Site]) -> Iterator[Change]:
        for site in sites:
            if (call := (site.operation, site.number)) not in dict(plan.trouble):
                for kind in (*TROUBLE, *(["gave up"] if site.operation == "ask" else [])):
                    yield Change(site, kind, partial(plan.but, call, kind))

    def acts(self, plan: Month, seen: Seen) -> Iterator[Change]:  # noqa: ARG002 - nobody does anything to a report
        yield from ()

    def drawn(self, seed: int) -> Month:
        chance = random.Random(seed)
        plan = Month(done_at=chance.randint(1, 6))
        for _ in range(chance.randint(1, 3)):
            operation = chance.choice(("order", "ask", "ask"))
            plan = plan.but((operation, chance.randint(1, 4)), chance.choice(TROUBLE))
        return plan

    def simpler(self, plan: Month) -> Iterator[Simpler]:
        for (operation, number), kind in plan.trouble:
            yield Simpler(f"without {kind} at {operation} {number}", plan.but((operation, number), None))
        if plan.done_at > 1:
            yield Simpler(f"done at question {plan.done_at - 1}", replace(plan, done_at=plan.done_at - 1))

    def size(self, plan: Month) -> int:
        return len(plan.trouble)

    def digest(self, plan: Month) -> str:
        return repr(plan)

    def run(self, plans: Sequence[Month]) -> list[Seen]:
        return self._runner.run(self._run_all(plans))

    async def _run_all(self, plans: Sequence[Month]) -> list[Seen]:
        async with self._world.working([polling.ReportWorkflow], [self._make_report]) as queue:
            return await asyncio.gather(*(self._seen(plan, queue) for plan in plans))

    async def _seen(self, plan: Month, queue: str) -> Seen:
        service, workflow_id = Reports(plan.done_at, dict(plan.trouble)), str(uuid4())
        async with service.serving() as url:
            order = polling.Order(url, "may")
            try:
                await self._world.client.execute_workflow(
                    polling.ReportWorkflow.run, order, id=workflow_id, task_queue=queue
                )
                end = "done"
            except WorkflowFailureError:
                end = "failed"
        return judged(plan, Told(tuple(service.calls), end, round(self._world.virtual.story(workflow_id).now, 6)))


def judged(plan: Month, told: Told) -> Seen:
    """Hold a run against the invariant and the model."""
    trouble = dict(plan.trouble)
    answered = [call for call in told.calls if call[0] == "order" and call not in trouble]
    problems = [f"{len(answered)} reports were ordered and paid"] if len(answered) > 1 else []
    if told != (wanted := model(plan)):
        problems.append(f"{told}, not {wanted}")
    words = [f"{operation} {trouble.get((operation, number), 'ok')}" for operation, number in told.calls]
    fired = set(trouble) <= set(told.calls)
    return Seen(
        verdict="failed" if problems else "passed" if fired else "inconclusive",
        cause=("ordered twice" if len(answered) > 1 else "another story") if problems else "",
        problems=tuple(problems),
        behaviours=frozenset(" -> ".join(pair) for pair in pairwise([*words, told.end])),
        cells=frozenset(("calls", call[0], str(call[1]), trouble.get(call, "ok")) for call in told.calls),
        sites=tuple(Site(*call) for call in told.calls),
        ended=told.seconds,
    )
