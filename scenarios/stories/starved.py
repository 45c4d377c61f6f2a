"""What a machine that is too busy makes of a run in virtual time: it proves nothing, and is told again."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from itertools import pairwise
from typing import Any

from temporalio.client import Client
from temporalio.service import RPCError

from scenarios.scenario import NOTHING_LOST
from scenarios.stories.run import Run
from scenarios.stories.timelines import Timeline

TELLINGS = 3
"""How often a story is told, at most, before it stands that the machine is too busy for it."""
SILENT = "TEMPORAL_UNAVAILABLE"
"""docs/errors.md: what the gateway answers while Temporal is silent."""
UNAVAILABLE = "unavailable"
"""docs/api.md: the event that says the same in a stream."""
SILENCE_S = 120.0
"""Wall seconds for which a server's silence is waited out."""
LOOK, PAUSE_S = timedelta(seconds=5), 1.0
"""Of each question whether it answers, and before the next."""


def untrue(run: Run) -> Iterator[str]:
    """Yield what makes the timeline untrue: nothing in it speaks of the pipeline."""
    if times := run.timeline.given_twice:
        yield f"inconclusive: the server gave {times} of the attempts out twice: the machine was too busy"
    if cut := _cut_off(run.timeline):
        yield f"inconclusive: {cut} was cut off, and nobody had cancelled: the machine was too busy"


def unanswered(run: Run) -> Iterator[str]:
    """Yield that Temporal was silent for the gateway, where no plan said so. What the services saw is true."""
    if run.unanswered and run.virtual:
        yield f"inconclusive: {run.unanswered} looks were answered 503: the machine was too busy"
    said = [run.error.get("code"), code_of(run.cancel_answer)]
    for answer in run.acts:
        said += [answer.code, *(SILENT for name, *_ in answer.events if name == UNAVAILABLE)]
    if run.virtual and run.scenario.lost == NOTHING_LOST and (times := said.count(SILENT)):
        yield f"inconclusive: {times} requests were answered {SILENT}: the machine was too busy"


async def answers_again(temporal: Client, limit_s: float = SILENCE_S) -> None:
    """Return once Temporal answers: while it is silent, to tell a story again proves nothing either."""
    with suppress(TimeoutError):
        async with asyncio.timeout(limit_s):
            while not await _answers(temporal):  # noqa: ASYNC110 - a server tells nobody that it is back
                await asyncio.sleep(PAUSE_S)


async def _answers(temporal: Client) -> bool:
    try:
        return await temporal.service_client.check_health(timeout=LOOK)
    except RPCError:
        return False


def code_of(answer: tuple[int, Any] | None) -> str | None:
    """Return the code of the error that the gateway answered, if it was one."""
    error = answer[1].get("error") if answer and isinstance(answer[1], dict) else None
    return error.get("code") if isinstance(error, dict) else None


def _cut_off(timeline: Timeline) -> str | None:
    """Return an attempt that the server took for dead: heartbeats are real, and a starved machine sends them late.

    It was cancelled although another followed, or never began here.
    """
    for each, after in pairwise(timeline.attempts):
        if each.outcome == "cancelled":
            return f"attempt {each.number} of {each.activity}"
        if after.number > (each.number if after.activity == each.activity else 0) + 1:
            return f"attempt {after.number - 1} of {after.activity}"
    return None
