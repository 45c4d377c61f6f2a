"""Which A100 server is asked, and when another one is."""

import asyncio
import socket

import httpx
import pytest
import respx
from pydantic import ValidationError

from app.attempts.attempt import Attempt
from app.errors.services import A100BadAnswerError, A100Error, A100RejectedError, A100TimeoutError, A100UnavailableError
from app.services.a100 import A100, GenerateAnswer, MetricsAnswer
from tests.app.services.conftest import Bench

ONE, TWO = "http://one.test", "http://two.test"
ONLINE = {"status": "online", "gpu_memory_free": 40000}
REFINED = {"refined_mask_uri": "azure://c/w-1-mask-refined.png"}


async def _refine(bench: Bench, http: httpx.AsyncClient) -> str:
    async def work(attempt: Attempt) -> str:
        answer = await A100(http, (ONE, TWO)).refine_mask(attempt, "azure://i", "azure://m", [])
        return answer.refined_mask_uri

    return await bench.run(work, deadline=50)


@respx.mock
async def test_the_first_that_is_online_is_used(bench: Bench, http: httpx.AsyncClient) -> None:
    respx.get(f"{ONE}/health").respond(json={"status": "starting"})
    respx.get(f"{TWO}/health").respond(json=ONLINE)
    respx.post(f"{TWO}/refine_mask").respond(json=REFINED)
    assert await _refine(bench, http) == REFINED["refined_mask_uri"]


@pytest.mark.parametrize(
    "second",
    [
        httpx.ConnectError("no route"),
        httpx.Response(200, json={"status": "starting"}),
        httpx.Response(404),
        httpx.Response(200, text="<html>"),
    ],
)
@respx.mock
async def test_none_online_is_final(bench: Bench, http: httpx.AsyncClient, second: httpx.Response | Exception) -> None:
    respx.get(f"{ONE}/health").mock(side_effect=httpx.ConnectError("no"))
    respx.get(f"{TWO}/health").mock(side_effect=[second])
    with pytest.raises(A100UnavailableError) as caught:
        await _refine(bench, http)
    assert caught.value.final


@pytest.mark.parametrize(
    ("busy", "error", "retry_after"),
    [
        (httpx.Response(503, headers={"Retry-After": "7"}), A100Error, 7),
        (httpx.Response(500), A100Error, None),
        (httpx.Response(429), A100Error, None),
        (httpx.ReadError("broken"), A100Error, None),
        (httpx.ReadTimeout("slow"), A100TimeoutError, None),
    ],
)
@respx.mock
async def test_one_that_is_too_busy_to_say_is_not_offline(
    bench: Bench,
    http: httpx.AsyncClient,
    busy: httpx.Response | Exception,
    error: type[A100Error],
    retry_after: float | None,
) -> None:
    respx.get(f"{ONE}/health").mock(side_effect=httpx.ConnectError("no"))
    respx.get(f"{TWO}/health").mock(side_effect=[busy])
    with pytest.raises(A100Error) as caught:
        await _refine(bench, http)
    assert type(caught.value) is error
    assert caught.value.retry_after == retry_after
    assert not caught.value.final


async def _refused_by(bench: Bench, http: httpx.AsyncClient, url: str) -> A100Error:
    async def work(attempt: Attempt) -> None:
        await A100(http, (url,)).refine_mask(attempt, "azure://i", "azure://m", [])

    with pytest.raises(A100Error) as caught:
        await bench.run(work, deadline=50)
    return caught.value


@pytest.mark.parametrize("number", [socket.EAI_AGAIN, socket.EAI_NONAME])
async def test_a_name_that_is_not_found_now_says_nothing_of_the_server(
    bench: Bench, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(number, "the resolver says no")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", fail)
    error = await _refused_by(bench, http, "http://a100.test")
    assert (error.code, error.final) == ("A100_ERROR", False)
    assert "the resolver says no" in (error.said or "")
    assert "resolver" not in error.message


async def test_tls_that_fails_says_nothing_of_the_server(bench: Bench, http: httpx.AsyncClient) -> None:
    async def no_tls(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 this is no TLS\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(no_tls, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        error = await _refused_by(bench, http, f"https://127.0.0.1:{port}")
    assert (error.code, error.final) == ("A100_ERROR", False)
    assert "SSL" in (error.said or "")
    # Nobody listens there any more: that is offline.
    error = await _refused_by(bench, http, f"https://127.0.0.1:{port}")
    assert (error.code, error.message, error.final) == ("A100_UNAVAILABLE", "A100 server is offline", True)


@respx.mock
async def test_a_host_without_the_app_is_asked_again(bench: Bench, http: httpx.AsyncClient) -> None:
    respx.get(f"{ONE}/health").respond(404, text="Heroku | No such app")
    error = await _refused_by(bench, http, ONE)
    assert (error.code, error.final, error.said) == ("A100_ERROR", False, "Heroku | No such app")


@respx.mock
async def test_a_busy_one_is_left_for_the_next(bench: Bench, http: httpx.AsyncClient) -> None:
    respx.get(f"{ONE}/health").respond(503)
    respx.get(f"{TWO}/health").respond(json=ONLINE)
    respx.post(f"{TWO}/refine_mask").respond(json=REFINED)
    assert await _refine(bench, http) == REFINED["refined_mask_uri"]


@respx.mock
async def test_a_call_that_failed_is_what_is_told_when_its_server_cannot_say_how_it_is(
    bench: Bench, http: httpx.AsyncClient
) -> None:
    respx.get(f"{ONE}/health").mock(side_effect=[httpx.Response(200, json=ONLINE), httpx.Response(503)])
    respx.post(f"{ONE}/refine_mask").respond(429, headers={"Retry-After": "20"})
    respx.get(f"{TWO}/health").mock(side_effect=httpx.ConnectError("no"))
    with pytest.raises(A100Error) as caught:
        await _refine(bench, http)
    assert (caught.value.message, caught.value.retry_after) == ("The A100 server answered with status 429", 20)


@respx.mock
async def test_the_only_one_that_goes_away_in_the_middle_is_offline(bench: Bench, http: httpx.AsyncClient) -> None:
    respx.get(f"{ONE}/health").mock(side_effect=[httpx.Response(200, json=ONLINE), httpx.ConnectError("gone")])
    respx.post(f"{ONE}/refine_mask").mock(side_effect=httpx.ReadError("gone"))
    respx.get(f"{TWO}/health").mock(side_effect=httpx.ConnectError("no"))
    with pytest.raises(A100UnavailableError):
        await _refine(bench, http)


@respx.mock
async def test_one_that_goes_away_in_the_middle_is_followed_by_the_next(bench: Bench, http: httpx.AsyncClient) -> None:
    respx.get(f"{ONE}/health").mock(side_effect=[httpx.Response(200, json=ONLINE), httpx.ConnectError("gone")])
    respx.post(f"{ONE}/refine_mask").mock(side_effect=httpx.ReadError("gone"))
    respx.get(f"{TWO}/health").respond(json=ONLINE)
    respx.post(f"{TWO}/refine_mask").respond(json=REFINED)
    assert await _refine(bench, http) == REFINED["refined_mask_uri"]


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (httpx.Response(500), A100Error),
        (httpx.Response(400), A100RejectedError),
        (httpx.Response(200, json={}), A100BadAnswerError),
    ],
)
@respx.mock
async def test_an_error_while_it_stays_online_is_the_policys_business(
    bench: Bench, http: httpx.AsyncClient, response: httpx.Response, error: type[A100Error]
) -> None:
    respx.get(f"{ONE}/health").respond(json=ONLINE)
    respx.post(f"{ONE}/refine_mask").mock(return_value=response)
    with pytest.raises(error) as caught:
        await _refine(bench, http)
    assert type(caught.value) is error


@respx.mock
async def test_a_hang_while_it_stays_online_ends_at_the_deadline(bench: Bench, http: httpx.AsyncClient) -> None:
    async def hang(_request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(1_000)
        return httpx.Response(200, json=REFINED)

    respx.get(f"{ONE}/health").respond(json=ONLINE)
    respx.post(f"{ONE}/refine_mask").mock(side_effect=hang)
    with pytest.raises(A100TimeoutError) as caught:
        await _refine(bench, http)
    assert not caught.value.final
    assert bench.elapsed == 50


@respx.mock
async def test_no_work_is_begun_elsewhere_when_the_time_is_up(bench: Bench, http: httpx.AsyncClient) -> None:
    async def hang(_request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(1_000)
        return httpx.Response(200, json=REFINED)

    respx.get(f"{ONE}/health").mock(side_effect=[httpx.Response(200, json=ONLINE), httpx.ConnectError("gone")])
    respx.post(f"{ONE}/refine_mask").mock(side_effect=hang)
    respx.get(f"{TWO}/health").respond(json=ONLINE)
    second = respx.post(f"{TWO}/refine_mask").respond(json=REFINED)
    with pytest.raises(A100TimeoutError):
        await _refine(bench, http)
    assert not second.called


METRICS = {"precision": 0.9, "recall": 0.9, "iou": 0.8, "growth_ratio": 1.0}


async def _generate(bench: Bench, http: httpx.AsyncClient, answer: httpx.Response) -> GenerateAnswer:
    respx.get(f"{ONE}/health").respond(json=ONLINE)
    respx.post(f"{ONE}/generate").mock(return_value=answer)

    async def work(attempt: Attempt) -> GenerateAnswer:
        return await A100(http, (ONE,)).generate(attempt, "azure://i", "azure://m")

    return await bench.run(work, deadline=165)


@respx.mock
async def test_what_may_be_null_may_be_left_out(bench: Bench, http: httpx.AsyncClient) -> None:
    answer = await _generate(bench, http, httpx.Response(200, json={"result_base64": "A", "metrics": METRICS}))
    assert (answer.result_base64, answer.result_gemini_base64, answer.fidelity_viz_base64) == ("A", None, None)
    assert answer.metrics_gemini is None


@pytest.mark.parametrize(
    ("answer", "final"),
    [
        (httpx.Response(200, json={"metrics": METRICS}), True),
        (httpx.Response(200, json={"result_base64": 7, "metrics": METRICS}), True),
        (httpx.Response(200, json={"result_base64": "A", "metrics": [METRICS]}), True),
        (httpx.Response(200, json=["A"]), True),
        (httpx.Response(200, json={"result_base64": None, "metrics": METRICS}), False),
        (httpx.Response(200, json={"result_base64": "A", "metrics": METRICS | {"iou": 1.5}}), False),
        (httpx.Response(200, text='{"result_base64": "A"'), False),
        (httpx.Response(200, text="<html>"), False),
    ],
)
@respx.mock
async def test_gpu_work_is_not_repeated_for_an_answer_of_another_shape(
    bench: Bench, http: httpx.AsyncClient, answer: httpx.Response, final: bool
) -> None:
    with pytest.raises(A100BadAnswerError) as caught:
        await _generate(bench, http, answer)
    assert caught.value.final is final


def _metrics(**changes: float) -> dict[str, float]:
    return {"precision": 0.9, "recall": 0.9, "iou": 0.8, "growth_ratio": 1.0} | changes


@pytest.mark.parametrize(
    ("said", "taken"), [(1.0000001, 1.0), (1.000001, 1.0), (-0.0000001, 0.0), (0.5, 0.5), (1, 1.0), (0, 0.0)]
)
@pytest.mark.parametrize("name", ["precision", "recall", "iou"])
def test_the_noise_of_floats_costs_no_picture(name: str, said: float, taken: float) -> None:
    assert getattr(MetricsAnswer.model_validate(_metrics(**{name: said})), name) == taken


def test_a_growth_may_be_above_one_and_just_below_zero() -> None:
    assert MetricsAnswer.model_validate(_metrics(growth_ratio=1.5)).growth_ratio == 1.5
    assert MetricsAnswer.model_validate(_metrics(growth_ratio=-1e-9)).growth_ratio == 0


@pytest.mark.parametrize("said", [1.0001, -0.0001, float("nan"), float("inf"), -1, 2])
def test_what_is_more_than_noise_is_wrong(said: float) -> None:
    with pytest.raises(ValidationError):
        MetricsAnswer.model_validate(_metrics(iou=said))
