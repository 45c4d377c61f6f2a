"""Which A100 server is asked, and when another one is."""

import httpx
import pytest
import respx

from app.attempt import Attempt
from app.errors import A100BadAnswerError, A100Error, A100RejectedError, A100TimeoutError, A100UnavailableError
from app.services.a100 import A100
from tests.app.services.conftest import Bench

ONE, TWO = "http://one.test", "http://two.test"
ONLINE = {"status": "online", "gpu_memory_free": 40000}
REFINED = {"refined_mask_uri": "azure://c/w-1-mask-refined.png"}


async def _refine(bench: Bench, http: httpx.AsyncClient) -> str:
    async def work(attempt: Attempt) -> str:
        answer = await A100(http, (ONE, TWO), bench.clock).refine_mask(attempt, "azure://i", "azure://m", [])
        return answer.refined_mask_uri

    return await bench.run(work, deadline=50)


@respx.mock
async def test_the_first_that_is_online_is_used(bench: Bench, http: httpx.AsyncClient) -> None:
    respx.get(f"{ONE}/health").respond(json={"status": "starting"})
    respx.get(f"{TWO}/health").respond(json=ONLINE)
    respx.post(f"{TWO}/refine_mask").respond(json=REFINED)
    assert await _refine(bench, http) == REFINED["refined_mask_uri"]


@respx.mock
async def test_none_online_is_final(bench: Bench, http: httpx.AsyncClient) -> None:
    respx.get(f"{ONE}/health").mock(side_effect=httpx.ConnectError("no"))
    respx.get(f"{TWO}/health").respond(500)
    with pytest.raises(A100UnavailableError) as caught:
        await _refine(bench, http)
    assert caught.value.final


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
        await bench.clock.sleep(1_000)
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
        await bench.clock.sleep(1_000)
        return httpx.Response(200, json=REFINED)

    respx.get(f"{ONE}/health").mock(side_effect=[httpx.Response(200, json=ONLINE), httpx.ConnectError("gone")])
    respx.post(f"{ONE}/refine_mask").mock(side_effect=hang)
    respx.get(f"{TWO}/health").respond(json=ONLINE)
    second = respx.post(f"{TWO}/refine_mask").respond(json=REFINED)
    with pytest.raises(A100TimeoutError):
        await _refine(bench, http)
    assert not second.called
