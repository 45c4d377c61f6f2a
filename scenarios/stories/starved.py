"""What a machine that is too busy makes of a run in virtual time: it proves nothing, and is told again."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from itertools import pairwise

from temporalio.client import Client
from temporalio.service import RPCError

from scenarios.scenario import NOTHING_LOST, UNREAD
from scenarios.stories.acts import Answered
from scenarios.stories.run import Run
from scenarios.stories.timelines import Timeline

TELLINGS = 3
"""How often a story is told, at most, before it stands that the machine is too busy for it."""
UNAVAILABLE = 503
UNAVAILABLE_EVENT = "unavailable"
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
    """Yield that Temporal or the store was silent for the gateway: its seconds are real, and no rule reaches it there.

    What the services saw is true all the same. Of a plan that loses Temporal's answers only looks are counted.
    """
    if not run.virtual:
        return
    times = run.unanswered + sum(each.act.do == "health" and each.http_status == UNAVAILABLE for each in run.acts)
    if run.scenario.lost == NOTHING_LOST:
        start = () if run.scenario.staging else (run.start_answer,)
        statuses = [answer[0] for answer in (*start, run.cancel_answer) if answer]
        others = [each.http_status for each in run.acts if each.act.do != "health" and not _is_meant(each)]
        times += [*statuses, *others].count(UNAVAILABLE)
        times += sum(name == UNAVAILABLE_EVENT for answer in run.acts for name, *_ in answer.events)
    if times:
        yield f"inconclusive: {times} requests were answered 503: the machine was too busy"


def _is_meant(answer: Answered) -> bool:
    """Say whether it is the store by rule that did not give results."""
    return answer.act.do in UNREAD and (answer.code or "").startswith("AZURE_")


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
