"""What one call to a service makes of whatever comes back."""

import asyncio
from contextlib import nullcontext

import httpx
import pytest
import respx

from app.attempts.attempt import Attempt
from app.attempts.deadline import Deadline
from app.errors import PipelineError
from app.errors.services import IMAGE_MANIPULATOR_ERRORS
from app.services.http import ServiceClient
from app.services.image_manipulator import ResizeAnswer, ZoomAnswer
from tests.app.services.conftest import Bench

URL = "http://secret-host.test:8005"
GOOD = {"recommend_bg_removal": True, "zoom_level": 0.3}
RESIZED = {
    "resized_uri": "azure://c/w-1-resized.jpg",
    "original_width": 4000,
    "original_height": 3000,
    "new_width": 1536,
    "new_height": 1152,
}


async def _call(bench: Bench, http: httpx.AsyncClient, answer: type[ZoomAnswer] = ZoomAnswer) -> ZoomAnswer:
    client = ServiceClient(http, URL, IMAGE_MANIPULATOR_ERRORS)
    return await bench.run(lambda attempt: client.call(attempt, "POST", "/zoom_check", answer, body={"a": 1}))


@respx.mock
async def test_a_good_answer_and_what_the_request_carries(bench: Bench, http: httpx.AsyncClient) -> None:
    route = respx.post(f"{URL}/zoom_check").respond(json=GOOD | {"unknown": 1})
    assert await _call(bench, http) == ZoomAnswer(recommend_bg_removal=True, zoom_level=0.3)
    request = route.calls.last.request
    assert request.headers["X-Workflow-Id"] == "w-1"
    assert request.headers["X-Activity-Attempt"] == "2"
    assert request.content == b'{"a":1}'


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (httpx.Response(500), IMAGE_MANIPULATOR_ERRORS.unavailable),
        (httpx.Response(503), IMAGE_MANIPULATOR_ERRORS.unavailable),
        (httpx.Response(429), IMAGE_MANIPULATOR_ERRORS.unavailable),
        (httpx.Response(408), IMAGE_MANIPULATOR_ERRORS.unavailable),
        (httpx.Response(400), IMAGE_MANIPULATOR_ERRORS.rejected),
        (httpx.Response(404), IMAGE_MANIPULATOR_ERRORS.rejected),
        (httpx.Response(422, json={"detail": "no"}), IMAGE_MANIPULATOR_ERRORS.rejected),
        (httpx.Response(302, headers={"Location": "http://elsewhere.test/"}), IMAGE_MANIPULATOR_ERRORS.bad_answer),
        (httpx.Response(200, text="<html>"), IMAGE_MANIPULATOR_ERRORS.bad_answer),
        (httpx.Response(200, text=""), IMAGE_MANIPULATOR_ERRORS.bad_answer),
        (httpx.Response(200, json={"zoom_level": 0.3}), IMAGE_MANIPULATOR_ERRORS.bad_answer),
        (httpx.Response(200, json=GOOD | {"zoom_level": None}), IMAGE_MANIPULATOR_ERRORS.bad_answer),
        (httpx.Response(200, json=GOOD | {"recommend_bg_removal": "yes"}), IMAGE_MANIPULATOR_ERRORS.bad_answer),
        (
            httpx.Response(200, text='{"recommend_bg_removal": true, "zoom_level": NaN}'),
            IMAGE_MANIPULATOR_ERRORS.bad_answer,
        ),
        (httpx.Response(200, content=b"x" * (1024 * 1024 + 1)), IMAGE_MANIPULATOR_ERRORS.bad_answer),
    ],
)
@respx.mock
async def test_each_bad_answer_is_the_services_own_error(
    bench: Bench, http: httpx.AsyncClient, response: httpx.Response, error: type[PipelineError]
) -> None:
    respx.post(f"{URL}/zoom_check").mock(return_value=response)
    with pytest.raises(error) as caught:
        await _call(bench, http)
    assert type(caught.value) is error
    assert "secret-host" not in caught.value.message


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (httpx.ConnectError("secret-host"), IMAGE_MANIPULATOR_ERRORS.unavailable),
        (httpx.RemoteProtocolError("secret-host"), IMAGE_MANIPULATOR_ERRORS.unavailable),
        (httpx.ReadError("secret-host"), IMAGE_MANIPULATOR_ERRORS.unavailable),
        (httpx.ReadTimeout("secret-host"), IMAGE_MANIPULATOR_ERRORS.timeout),
        (httpx.ConnectTimeout("secret-host"), IMAGE_MANIPULATOR_ERRORS.timeout),
    ],
)
@respx.mock
async def test_each_broken_connection_is_the_services_own_error(
    bench: Bench, http: httpx.AsyncClient, failure: httpx.HTTPError, error: type[PipelineError]
) -> None:
    respx.post(f"{URL}/zoom_check").mock(side_effect=failure)
    with pytest.raises(error) as caught:
        await _call(bench, http)
    assert "secret-host" not in caught.value.message


@pytest.mark.parametrize("location", ["/zoom_check?token=t", f"{URL}/zoom_check?token=t", "?token=t"])
@respx.mock
async def test_a_303_on_the_same_host_is_where_the_answer_is(
    bench: Bench, http: httpx.AsyncClient, location: str
) -> None:
    """Modal answers so after 150 s, to keep a long call alive."""
    respx.post(f"{URL}/zoom_check").respond(303, headers={"Location": location})
    later = respx.get(f"{URL}/zoom_check", params={"token": "t"})
    later.side_effect = [httpx.Response(303, headers={"Location": location}), httpx.Response(200, json=GOOD)]
    assert (await _call(bench, http)).zoom_level == GOOD["zoom_level"]
    assert later.calls.last.request.headers["X-Workflow-Id"] == "w-1"
    assert not later.calls.last.request.content


@pytest.mark.parametrize(
    "location",
    ["http://elsewhere.test/zoom_check", f"{URL}1/zoom_check", URL.replace("http", "https"), None],
)
@respx.mock
async def test_no_other_host_is_asked(bench: Bench, http: httpx.AsyncClient, location: str | None) -> None:
    respx.post(f"{URL}/zoom_check").respond(303, headers={"Location": location} if location else {})
    with pytest.raises(IMAGE_MANIPULATOR_ERRORS.bad_answer, match="a redirect to another address"):
        await _call(bench, http)


@respx.mock
async def test_a_303_that_leads_to_itself_comes_to_an_end(bench: Bench, http: httpx.AsyncClient) -> None:
    respx.post(f"{URL}/zoom_check").respond(303, headers={"Location": "/again"})
    again = respx.get(f"{URL}/again").respond(303, headers={"Location": "/again"})
    with pytest.raises(IMAGE_MANIPULATOR_ERRORS.bad_answer, match="redirect"):
        await _call(bench, http)
    assert again.call_count == 20


HOSTS = (
    "modal-http: app for invoked web endpoint is stopped",
    "<html><head><title>Heroku | Application Error</title></head><body>No such app</body></html>",
    "Not Found",
    "default backend - 404",
)


@pytest.mark.parametrize("text", HOSTS)
@respx.mock
async def test_a_404_in_the_words_of_a_host_is_no_refusal(bench: Bench, http: httpx.AsyncClient, text: str) -> None:
    respx.post(f"{URL}/zoom_check").respond(404, text=text)
    with pytest.raises(IMAGE_MANIPULATOR_ERRORS.unavailable, match="no such app") as caught:
        await _call(bench, http)
    assert not caught.value.final
    assert (caught.value.said or "").split()[-1] in text
    assert caught.value.message == "The image manipulator is not there: its host knows no such app"


@pytest.mark.parametrize("content", [b'{"detail":"Not Found"}', b' {"detail": "no such picture"}', b"", b" "])
@respx.mock
async def test_a_404_of_the_app_itself_is_one(bench: Bench, http: httpx.AsyncClient, content: bytes) -> None:
    respx.post(f"{URL}/zoom_check").respond(404, content=content)
    with pytest.raises(IMAGE_MANIPULATOR_ERRORS.rejected) as caught:
        await _call(bench, http)
    assert caught.value.final


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(200, content=b"x" * 1_000_000), None),
        (httpx.Response(404, json={"detail": "Not Found"}), None),
        (httpx.Response(404), None),
        *((httpx.Response(status, text="<html>"), None) for status in (301, 400, 401, 403, 405, 422, 429)),
        *((httpx.Response(404, text=text), IMAGE_MANIPULATOR_ERRORS.unavailable) for text in HOSTS),
        (httpx.Response(500), IMAGE_MANIPULATOR_ERRORS.unavailable),
        (httpx.ConnectError("no"), IMAGE_MANIPULATOR_ERRORS.unavailable),
        (httpx.ReadTimeout("slow"), IMAGE_MANIPULATOR_ERRORS.timeout),
    ],
    ids=str,
)
@respx.mock
async def test_any_answer_but_that_of_a_host_is_a_sign_of_life(
    http: httpx.AsyncClient, answer: httpx.Response | Exception, error: type[PipelineError] | None
) -> None:
    respx.get(f"{URL}/").mock(side_effect=[answer])
    ping = ServiceClient(http, URL, IMAGE_MANIPULATOR_ERRORS).ping(Deadline(5))
    with pytest.raises(error) if error else nullcontext():
        await ping


@respx.mock
async def test_why_it_was_refused_is_for_the_log_and_not_for_the_client(bench: Bench, http: httpx.AsyncClient) -> None:
    respx.post(f"{URL}/zoom_check").respond(429, json={"detail": "the monthly spending limit of $30 is reached"})
    with pytest.raises(IMAGE_MANIPULATOR_ERRORS.unavailable) as caught:
        await _call(bench, http)
    assert caught.value.message == "The image manipulator answered with status 429"
    assert caught.value.said == '{"detail":"the monthly spending limit of $30 is reached"}'


@respx.mock
async def test_retry_after_travels_with_the_error(bench: Bench, http: httpx.AsyncClient) -> None:
    respx.post(f"{URL}/zoom_check").respond(429, headers={"Retry-After": "7"})
    with pytest.raises(IMAGE_MANIPULATOR_ERRORS.unavailable) as caught:
        await _call(bench, http)
    assert caught.value.retry_after == 7.0


@respx.mock
async def test_the_deadline_covers_the_whole_call(bench: Bench, http: httpx.AsyncClient) -> None:
    async def hang(_request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(1_000)
        return httpx.Response(200, json=GOOD)

    respx.post(f"{URL}/zoom_check").mock(side_effect=hang)
    client = ServiceClient(http, URL, IMAGE_MANIPULATOR_ERRORS)

    async def call(attempt: Attempt) -> None:
        await client.call(attempt, "POST", "/zoom_check", ZoomAnswer)

    with pytest.raises(IMAGE_MANIPULATOR_ERRORS.timeout):
        await bench.run(call, deadline=27)
    assert bench.elapsed == 27


@respx.mock
async def test_the_message_of_a_bad_answer_names_the_field_and_not_its_value(
    bench: Bench, http: httpx.AsyncClient
) -> None:
    respx.post(f"{URL}/resize").respond(json=RESIZED | {"new_width": "s3cret"})
    client = ServiceClient(http, URL, IMAGE_MANIPULATOR_ERRORS)

    async def call(attempt: Attempt) -> None:
        await client.call(attempt, "POST", "/resize", ResizeAnswer)

    with pytest.raises(IMAGE_MANIPULATOR_ERRORS.bad_answer) as caught:
        await bench.run(call)
    assert "new_width" in caught.value.message
    assert "s3cret" not in caught.value.message
