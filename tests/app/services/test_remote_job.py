"""Submit once, poll until the end, resume what has not ended, drop what went wrong."""

import itertools

import httpx
import pytest
import respx

from app.attempts.attempt import Attempt
from app.errors.services import BIREFNET_ERRORS
from app.pipeline.models import Ticket
from app.services.http import ServiceClient
from app.services.remote_job import RemoteJobs
from tests.app.services.conftest import START, Bench

URL = "http://birefnet.test"
DONE = {"status": "completed", "result_uri": "azure://c/w-1-nobg.png"}
BUSY = {"status": "processing"}


async def _run(bench: Bench, http: httpx.AsyncClient, *, ticket: Ticket | None = None, good: bool = True) -> str:
    async def check(uri: str) -> str:
        if not good:
            raise BIREFNET_ERRORS.bad_answer("BiRefNet made something else")
        return uri

    async def work(attempt: Attempt) -> str:
        client = ServiceClient(http, URL, BIREFNET_ERRORS)
        return await RemoteJobs(client, BIREFNET_ERRORS, bench.clock, "result_uri").run(attempt, {"a": 1}, check)

    return await bench.run(work, ticket=ticket)


@respx.mock
async def test_submits_once_and_polls_every_two_seconds(bench: Bench, http: httpx.AsyncClient) -> None:
    submit = respx.post(f"{URL}/jobs").respond(json={"job_id": "j/1"})
    polls: list[float] = []

    def answer(_request: httpx.Request) -> httpx.Response:
        polls.append(bench.clock.now() - START)
        return httpx.Response(200, json=DONE if len(polls) == 3 else BUSY)

    respx.get(f"{URL}/jobs/j%2F1").mock(side_effect=answer)
    assert await _run(bench, http) == DONE["result_uri"]
    assert submit.call_count == 1
    assert polls == [2, 4, 6]
    assert bench.heartbeats == [Ticket(job_id="j/1", submitted_at=START)]


@respx.mock
async def test_gives_up_120_seconds_after_the_submit_and_is_not_retried(bench: Bench, http: httpx.AsyncClient) -> None:
    respx.post(f"{URL}/jobs").respond(json={"job_id": "j"})
    poll = respx.get(f"{URL}/jobs/j").respond(json=BUSY)
    with pytest.raises(BIREFNET_ERRORS.timeout) as caught:
        await _run(bench, http)
    assert bench.elapsed == 120
    assert poll.call_count == 60
    assert caught.value.final
    assert caught.value.code == "BIREFNET_TIMEOUT"


@respx.mock
async def test_a_resumed_job_is_not_submitted_again(bench: Bench, http: httpx.AsyncClient) -> None:
    submit = respx.post(f"{URL}/jobs")
    respx.get(f"{URL}/jobs/old").respond(json=DONE)
    assert await _run(bench, http, ticket=Ticket(job_id="old", submitted_at=START - 50)) == DONE["result_uri"]
    assert not submit.called
    assert bench.elapsed == 0


@respx.mock
async def test_a_job_resumed_after_its_limit_is_polled_once(bench: Bench, http: httpx.AsyncClient) -> None:
    poll = respx.get(f"{URL}/jobs/old").respond(json=BUSY)
    with pytest.raises(BIREFNET_ERRORS.timeout):
        await _run(bench, http, ticket=Ticket(job_id="old", submitted_at=START - 500))
    assert poll.call_count == 1


@pytest.mark.parametrize(
    ("answers", "error", "kept"),
    [
        ([httpx.Response(200, json={"status": "failed"})], BIREFNET_ERRORS.job_failed, False),
        ([httpx.Response(200, json={"status": "completed"})], BIREFNET_ERRORS.bad_answer, False),
        ([httpx.Response(404)], BIREFNET_ERRORS.job_failed, False),
        ([httpx.Response(200, json={"status": "exploded"})], BIREFNET_ERRORS.bad_answer, True),
        ([httpx.Response(200, text="garbage")], BIREFNET_ERRORS.bad_answer, True),
        ([httpx.Response(503)], BIREFNET_ERRORS.unavailable, True),
        ([httpx.Response(400)], BIREFNET_ERRORS.rejected, True),
    ],
)
@respx.mock
async def test_what_ended_is_dropped_and_what_may_still_run_is_kept(
    bench: Bench, http: httpx.AsyncClient, answers: list[httpx.Response], error: type[Exception], kept: bool
) -> None:
    respx.post(f"{URL}/jobs").respond(json={"job_id": "j"})
    respx.get(f"{URL}/jobs/j").mock(side_effect=itertools.chain(answers, itertools.repeat(answers[-1])))
    with pytest.raises(error):
        await _run(bench, http)
    assert (bench.heartbeats[-1] is not None) is kept


@respx.mock
async def test_a_result_that_does_not_pass_is_dropped(bench: Bench, http: httpx.AsyncClient) -> None:
    respx.post(f"{URL}/jobs").respond(json={"job_id": "j"})
    respx.get(f"{URL}/jobs/j").respond(json=DONE)
    with pytest.raises(BIREFNET_ERRORS.bad_answer):
        await _run(bench, http, good=False)
    assert bench.heartbeats[-1] is None


@respx.mock
async def test_a_job_may_be_unknown_just_after_its_submit(bench: Bench, http: httpx.AsyncClient) -> None:
    respx.post(f"{URL}/jobs").respond(json={"job_id": "j"})
    respx.get(f"{URL}/jobs/j").mock(side_effect=[httpx.Response(404)] * 4 + [httpx.Response(200, json=DONE)])
    assert await _run(bench, http) == DONE["result_uri"]
    assert bench.elapsed == 10


@respx.mock
async def test_a_poll_that_hangs_ends_by_its_own_deadline_and_keeps_the_ticket(
    bench: Bench, http: httpx.AsyncClient
) -> None:
    async def hang(_request: httpx.Request) -> httpx.Response:
        await bench.clock.sleep(1_000)
        return httpx.Response(200, json=DONE)

    respx.post(f"{URL}/jobs").respond(json={"job_id": "j"})
    respx.get(f"{URL}/jobs/j").mock(side_effect=hang)
    with pytest.raises(BIREFNET_ERRORS.timeout) as caught:
        await _run(bench, http)
    assert not caught.value.final
    assert bench.elapsed == 27
    assert bench.heartbeats[-1] is not None
