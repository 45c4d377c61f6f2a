"""A story that a busy machine spoilt proves nothing: it is told again, a few times, and then it stands as it is."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from fakes.kit.serve import serving
from scenarios.scenario import Act, Expect, Lost, Scenario
from scenarios.stories.acts import Answered
from scenarios.stories.report import story, table
from scenarios.stories.run import Run
from scenarios.stories.runner import Runner
from scenarios.stories.starved import TELLINGS, unanswered, untrue
from scenarios.virtual import real_io
from scenarios.world.world import World
from tests.scenarios.stories.made_runs import completed

QUIET = Scenario(name="quiet", story="All is well.", theme="tests", expect=Expect())


def twice_given(run: Run) -> None:
    run.timeline.given_twice = 1


def cut_off(run: Run) -> None:
    run.timeline.attempts[0].outcome = "cancelled"


def never_begun(run: Run) -> None:
    run.timeline.attempts[-1].number = 2


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (twice_given, "gave 1 of the attempts out twice"),
        (cut_off, "was cut off"),
        (never_begun, "attempt 1 of .* cut off"),
    ],
)
def test_what_a_busy_machine_does_to_a_timeline(spoil: Callable[[Run], None], words: str) -> None:
    run = completed()
    assert list(untrue(run)) == []
    spoil(run)
    (said,) = untrue(run)
    assert re.search(words, said)


@asynccontextmanager
async def busy(gateway: str, refuses: Callable[[str], bool]) -> AsyncIterator[str]:
    """A gateway in front of another; of some workflows it refuses the first look, as one whose Temporal is silent."""
    looks: Counter[str] = Counter()

    async with httpx.AsyncClient(base_url=gateway, timeout=60) as client:

        async def pass_on(request: Request) -> Response:
            if request.method == "GET":
                looks[request.url.path] += 1
                if looks[request.url.path] == 1 and refuses(request.url.path):
                    return Response('{"error": {"code": "TEMPORAL_UNAVAILABLE"}}', 503)
            headers = {name: request.headers[name] for name in request.headers if name != "host"}
            answer = await client.request(
                request.method,
                str(request.url.replace(scheme="", netloc="")),
                content=await request.body(),
                headers=headers,
            )
            return Response(answer.content, answer.status_code, media_type=answer.headers.get("content-type"))

        async with serving(Starlette(routes=[Route("/{path:path}", pass_on, methods=["GET", "POST"])])) as url:
            yield url


def refused(run: Run) -> None:
    run.status, run.start_answer = "REFUSED", (503, {"error": {"code": "AZURE_TIMEOUT"}})


def cancel_refused(run: Run) -> None:
    run.cancel_answer = (503, {"error": {"code": "TEMPORAL_UNAVAILABLE"}})


def act_refused(run: Run) -> None:
    run.acts = [Answered(Act("status", 1.0), 503, None, "TEMPORAL_UNAVAILABLE", own=False)]


def stream_refused(run: Run) -> None:
    events = (("progress", 14, "RESIZING_IMAGE"), ("unavailable", None, None))
    run.acts = [Answered(Act("events", 1.0), 200, None, None, own=True, events=events)]


def results_unknown(run: Run) -> None:
    run.acts = [Answered(Act("results_busy", "end"), 503, None, "TEMPORAL_UNAVAILABLE", own=False)]


def test_results_that_the_store_does_not_give_are_news() -> None:
    run = completed()
    run.acts = [Answered(Act("results_busy", "end"), 503, None, "AZURE_UNAVAILABLE", own=True)]
    assert list(unanswered(run)) == []


@pytest.mark.parametrize("spoil", [refused, cancel_refused, act_refused, stream_refused, results_unknown])
def test_a_request_that_nobody_answered_in_time_is_no_news_of_the_pipeline_unless_the_story_says_so(
    spoil: Callable[[Run], None],
) -> None:
    run = completed()
    assert list(unanswered(run)) == []
    spoil(run)
    assert list(unanswered(run)) == ["inconclusive: 1 requests were answered 503: the machine was too busy"]
    run.scenario = replace(run.scenario, lost=Lost(start=1))
    assert list(unanswered(run)) == []


@pytest.mark.parametrize(
    ("spoilt", "told", "problems"),
    [
        (1, 2, []),
        pytest.param(
            TELLINGS,
            TELLINGS,
            ["time is true: inconclusive: 1 requests were answered 503: the machine was too busy"],
            marks=pytest.mark.long("a world of its own, and a story told as often as may be"),
        ),
    ],
)
async def test_a_story_whose_looks_are_refused_is_told_again(
    spoilt: int, told: int, problems: list[str], tmp_path: Path
) -> None:
    seen: list[str] = []

    def first(path: str) -> bool:
        seen.append(path)
        return len(seen) <= spoilt

    async with World(tmp_path) as world, busy(world.gateway, first) as world.gateway:
        runner = Runner(world)
        run = await runner.run(QUIET)
        await runner.close()
    assert (run.told, run.problems) == (told, problems)
    assert f"told {told} times" in story(run, "")
    assert "1 of 1 scenarios were told again" in table([run], 1)


class FirstIsSilent(Interceptor):
    """Of the first attempt in the world nothing comes."""

    def __init__(self) -> None:
        self.begun = 0

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - the SDK's
        """Wrap an attempt."""
        silence = self

        class Silent(ActivityInboundInterceptor):
            async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - the SDK's name
                silence.begun += 1
                if silence.begun == 1:
                    with real_io("an answer that never comes"):
                        await asyncio.Event().wait()
                return await super().execute_activity(input)

        return Silent(next)


@pytest.mark.long("a silence of 30 s")
async def test_a_story_in_which_nothing_comes_any_more_is_told_again(tmp_path: Path) -> None:
    silent = FirstIsSilent()
    async with World(tmp_path, interceptors=[silent]) as world:
        runner = Runner(world)
        run = await runner.run(QUIET)
        await runner.close()
    assert (run.told, run.problems) == (2, [])
    assert silent.begun > 1
