"""Submit once, poll until the end, resume what has not ended, drop what went wrong."""

import asyncio
import itertools

import httpx
import pytest
import respx
from structlog.testing import capture_logs

from app.attempts.attempt import Attempt
from app.errors.services import BIREFNET_ERRORS
from app.pipeline.models import Ticket
from app.services.http import ServiceClient
from app.services.remote_job import RemoteJobs
from tests.app.services.conftest import START, Bench

URL = "http://birefnet.test"
DONE = {"status": "completed", "result_uri": "azure://c/w-1-nobg.png"}
BUSY = {"status": "processing"}


async def _run(
    bench: Bench, http: httpx.AsyncClient, *, ticket: Ticket | None = None, number: int = 1, good: bool = True
) -> str:
    async def check(uri: str) -> str:
        if not good:
            raise BIREFNET_ERRORS.bad_answer("BiRefNet made something else")
        return uri

    async def work(attempt: Attempt) -> str:
        client = ServiceClient(http, URL, BIREFNET_ERRORS)
        return await RemoteJobs(client, BIREFNET_ERRORS, "result_uri").run(attempt, {"a": 1}, check)

    return await bench.run(work, ticket=ticket, number=number)


@respx.mock
async def test_submits_once_and_polls_every_two_seconds(bench: Bench, http: httpx.AsyncClient) -> None:
    submit = respx.post(f"{URL}/jobs").respond(json={"job_id": "j/1"})
    polls: list[float] = []

    def answer(_request: httpx.Request) -> httpx.Response:
        polls.append(bench.now)
        return httpx.Response(200, json=DONE if len(polls) == 3 else BUSY)

    respx.get(f"{URL}/jobs/j%2F1").mock(side_effect=answer)
    assert await _run(bench, http) == DONE["result_uri"]
    assert submit.call_count == 1
    assert polls == [2, 4, 6]
    assert bench.heartbeats == [(Ticket(job_id="j/1", submitted_at=START), 1)]
    assert submit.calls.last.request.headers["Idempotency-Key"] == "w-1-remove_background-1"


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


ERRORS = BIREFNET_ERRORS


def _says(status: str, **more: str) -> httpx.Response:
    return httpx.Response(200, json={"status": status, **more})


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        (_says("failed"), ERRORS.job_failed, "BiRefNet says that the job failed"),
        (_says("FAILED"), ERRORS.job_failed, "BiRefNet says that the job failed"),
        (_says("completed"), ERRORS.bad_answer, "BiRefNet completed a job without result_uri"),
        (_says("completed", result_uri=""), ERRORS.bad_answer, "BiRefNet completed a job without result_uri"),
    ],
)
@respx.mock
async def test_a_job_that_ended_badly_is_dropped_at_once_and_the_next_one_has_another_key(
    bench: Bench, http: httpx.AsyncClient, answer: httpx.Response, error: type[Exception], message: str
) -> None:
    submit = respx.post(f"{URL}/jobs").respond(json={"job_id": "j"})
    respx.get(f"{URL}/jobs/j").mock(return_value=answer)
    with pytest.raises(error, match=message) as caught:
        await _run(bench, http)
    assert not getattr(caught.value, "final", True)
    assert bench.elapsed == 2
    assert bench.heartbeats[-1] == (None, 2)
    with pytest.raises(error):
        await _run(bench, http, number=2)
    assert submit.calls.last.request.headers["Idempotency-Key"] == "w-1-remove_background-2"


NOT_JSON = httpx.Response(200, text="<html>a proxy</html>")
HOST_GONE = httpx.Response(404, text="modal-http: app for invoked web endpoint is stopped")
UNKNOWN = httpx.Response(404, json={"detail": "no such job"})


@pytest.mark.parametrize(
    "answers",
    [
        [httpx.Response(502)] * 3,
        [httpx.Response(500, json={})] * 40,
        [httpx.Response(401), httpx.Response(410), httpx.Response(400)],
        [NOT_JSON] * 3,
        [_says("queued"), _says("PENDING"), _says("running")],
        [httpx.Response(202, json={}), httpx.Response(202), httpx.Response(202, text="soon")],
        [httpx.Response(204), httpx.Response(200, text="")],
        [HOST_GONE] * 40,
        [httpx.ConnectError("refused"), httpx.ReadError("reset"), httpx.RemoteProtocolError("empty")],
        [_says("processing")] * 5 + [UNKNOWN, UNKNOWN, _says("processing"), UNKNOWN, UNKNOWN],
        [UNKNOWN] * 6,  # the last two of them after the grace
        [_says("processing")] * 5 + [UNKNOWN, httpx.Response(502), UNKNOWN, UNKNOWN],
    ],
    ids=lambda answers: " ".join(str(getattr(one, "status_code", type(one).__name__)) for one in answers[:6]),
)
@respx.mock
async def test_whatever_a_poll_brings_the_job_is_asked_for_again_and_no_other_is_made(
    bench: Bench, http: httpx.AsyncClient, answers: list[httpx.Response | Exception]
) -> None:
    submit = respx.post(f"{URL}/jobs").respond(json={"job_id": "j"})
    polls = respx.get(f"{URL}/jobs/j").mock(side_effect=[*answers, httpx.Response(200, json=DONE)])
    assert await _run(bench, http) == DONE["result_uri"]
    assert (submit.call_count, polls.call_count) == (1, len(answers) + 1)
    assert bench.elapsed == 2 * (len(answers) + 1)
    assert bench.heartbeats[-1] == (Ticket(job_id="j", submitted_at=START), 1)


@pytest.mark.parametrize("status", ["completed", "succeeded", "SUCCESS", "done", "finished"])
@respx.mock
async def test_a_job_with_a_result_is_completed_whatever_that_is_called(
    bench: Bench, http: httpx.AsyncClient, status: str
) -> None:
    respx.post(f"{URL}/jobs").respond(json={"job_id": "j"})
    respx.get(f"{URL}/jobs/j").mock(return_value=_says(status, result_uri=DONE["result_uri"]))
    assert await _run(bench, http) == DONE["result_uri"]
    with pytest.raises(BIREFNET_ERRORS.bad_answer):
        await _run(bench, http, good=False)


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        (httpx.Response(502), ERRORS.unavailable, "BiRefNet answered with status 502"),
        (httpx.Response(401), ERRORS.unavailable, "BiRefNet answered with status 401"),
        (httpx.ConnectError("refused"), ERRORS.unavailable, "BiRefNet could not be reached, or broke the connection"),
        (HOST_GONE, ERRORS.unavailable, "BiRefNet is not there: its host knows no such app"),
        (NOT_JSON, ERRORS.bad_answer, "BiRefNet answered with something that is not JSON"),
        (httpx.Response(200, json={}), ERRORS.bad_answer, "BiRefNet answered with missing at status"),
        (_says("queued"), ERRORS.bad_answer, 'BiRefNet says "queued" of a job, which is no specified status'),
        (_says("que\nued " * 40), ERRORS.bad_answer, 'BiRefNet says "que ued que ued que ued que ued que ued …" of'),
        (_says("processing"), ERRORS.timeout, "BiRefNet had not finished its job after 120 s"),
        (httpx.Response(202), ERRORS.timeout, "BiRefNet had not finished its job after 120 s"),
    ],
    ids=str,
)
@respx.mock
async def test_at_its_limit_a_job_ends_with_what_the_last_poll_brought_and_no_other_is_made(
    bench: Bench, http: httpx.AsyncClient, answer: httpx.Response | Exception, error: type[Exception], message: str
) -> None:
    submit = respx.post(f"{URL}/jobs").respond(json={"job_id": "j"})
    polls = respx.get(f"{URL}/jobs/j")
    polls.side_effect = itertools.chain([_says("running")], itertools.repeat(answer))
    with pytest.raises(error) as caught:
        await _run(bench, http)
    assert str(caught.value).startswith(message)
    assert getattr(caught.value, "final", False)
    assert (bench.elapsed, submit.call_count, polls.call_count) == (120, 1, 60)


@respx.mock
async def test_a_job_is_lost_when_three_polls_in_a_row_know_nothing_of_it_after_the_grace(
    bench: Bench, http: httpx.AsyncClient
) -> None:
    respx.post(f"{URL}/jobs").respond(json={"job_id": "j"})
    respx.get(f"{URL}/jobs/j").mock(return_value=UNKNOWN)
    with pytest.raises(ERRORS.job_failed, match="BiRefNet has lost the job") as caught:
        await _run(bench, http)
    assert not caught.value.final
    assert bench.elapsed == 14  # 10, 12 and 14 s after the submit
    assert bench.heartbeats[-1] == (None, 2)


@respx.mock
async def test_a_job_that_is_unknown_when_its_time_is_over_is_lost(bench: Bench, http: httpx.AsyncClient) -> None:
    """Its worker was away for so long that the service has forgotten it: nothing speaks against another one now."""
    respx.get(f"{URL}/jobs/old").mock(return_value=UNKNOWN)
    with pytest.raises(ERRORS.job_failed) as caught:
        await _run(bench, http, ticket=Ticket(job_id="old", submitted_at=START - 500))
    assert not caught.value.final
    assert bench.heartbeats == [(None, 2)]


@respx.mock
async def test_the_next_poll_comes_when_the_service_asks_for_it(bench: Bench, http: httpx.AsyncClient) -> None:
    respx.post(f"{URL}/jobs").respond(json={"job_id": "j"})
    busy = [httpx.Response(429, headers={"Retry-After": after}) for after in ("0", "20")]
    respx.get(f"{URL}/jobs/j").mock(side_effect=[*busy, httpx.Response(200, json=DONE)])
    await _run(bench, http)
    assert bench.elapsed == 2 + 2 + 20


@respx.mock
async def test_a_result_that_does_not_pass_is_dropped(bench: Bench, http: httpx.AsyncClient) -> None:
    respx.post(f"{URL}/jobs").respond(json={"job_id": "j"})
    respx.get(f"{URL}/jobs/j").respond(json=DONE)
    with pytest.raises(BIREFNET_ERRORS.bad_answer):
        await _run(bench, http, good=False)
    assert bench.heartbeats[-1] == (None, 2)


@respx.mock
async def test_a_poll_that_hangs_ends_by_its_own_deadline_and_the_job_is_asked_for_again(
    bench: Bench, http: httpx.AsyncClient
) -> None:
    async def hang(_request: httpx.Request) -> httpx.Response:
        if bench.now < 30:
            await asyncio.sleep(1_000)
        return httpx.Response(200, json=DONE)

    respx.post(f"{URL}/jobs").respond(json={"job_id": "j"})
    respx.get(f"{URL}/jobs/j").mock(side_effect=hang)
    assert await _run(bench, http) == DONE["result_uri"]
    assert bench.elapsed == 2 + 25 + 2 + 25 + 2


@respx.mock
async def test_a_submit_may_take_the_job_s_time(bench: Bench, http: httpx.AsyncClient) -> None:
    """The GPU is cold: asked again meanwhile, it would have two jobs to do when it is warm."""

    async def cold(_request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(90)
        return httpx.Response(200, json={"job_id": "j"})

    submit = respx.post(f"{URL}/jobs").mock(side_effect=cold)
    busy = [_says("processing")] * 5
    respx.get(f"{URL}/jobs/j").mock(side_effect=[*busy, httpx.Response(200, json=DONE)])
    assert await _run(bench, http) == DONE["result_uri"]
    assert (submit.call_count, bench.elapsed) == (1, 90 + 12)


@respx.mock
async def test_the_job_s_limit_counts_from_before_a_slow_submit(bench: Bench, http: httpx.AsyncClient) -> None:
    async def cold(_request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(119)
        return httpx.Response(200, json={"job_id": "j"})

    respx.post(f"{URL}/jobs").mock(side_effect=cold)
    polls = respx.get(f"{URL}/jobs/j").respond(json=BUSY)
    with pytest.raises(ERRORS.timeout, match="120 s"):
        await _run(bench, http)
    assert (polls.call_count, bench.elapsed) == (1, 120)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (None, ERRORS.timeout),  # it hangs
        (httpx.ReadError("reset"), ERRORS.unavailable),
        (httpx.Response(503), ERRORS.unavailable),
        (httpx.Response(429), ERRORS.unavailable),
        (HOST_GONE, ERRORS.unavailable),
        (NOT_JSON, ERRORS.bad_answer),
        (httpx.Response(200, json={}), ERRORS.bad_answer),
    ],
    ids=str,
)
@respx.mock
async def test_a_submit_without_an_id_is_made_again_with_the_same_key(
    bench: Bench, http: httpx.AsyncClient, answer: httpx.Response | Exception | None, error: type[Exception]
) -> None:
    keys: list[str] = []

    async def refuse(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers["Idempotency-Key"])
        if answer is None:
            await asyncio.sleep(1_000)
        if isinstance(answer, Exception):
            raise answer
        return answer or httpx.Response(200)

    respx.post(f"{URL}/jobs").mock(side_effect=refuse)
    for _ in range(2):
        with pytest.raises(error) as caught:
            await _run(bench, http)
        assert not getattr(caught.value, "final", True)
    assert bench.elapsed == (120 if answer is None else 0)
    assert keys == ["w-1-remove_background-1"] * 2
    assert bench.heartbeats == []


@respx.mock
async def test_a_poll_that_goes_wrong_is_told_once_with_what_the_service_said(
    bench: Bench, http: httpx.AsyncClient
) -> None:
    respx.post(f"{URL}/jobs").respond(json={"job_id": "j"})
    limited = httpx.Response(429, json={"detail": "monthly limit reached"})
    respx.get(f"{URL}/jobs/j").mock(
        side_effect=[limited] * 5 + [_says("queued")] * 5 + [httpx.Response(200, json=DONE)]
    )
    with capture_logs() as said:
        await _run(bench, http)
    assert [(line["reason"], line["said"]) for line in said] == [
        ("BiRefNet answered with status 429", '{"detail":"monthly limit reached"}'),
        ('BiRefNet says "queued" of a job, which is no specified status', None),
    ]
