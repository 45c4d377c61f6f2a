"""What somebody who does not have a try-on's id can come to know of it: nothing."""

import uuid

import httpx
import pytest
from pydantic import SecretStr
from temporalio.client import Client

from app.settings import Settings
from tests.app.gateway.conftest import body, serving

WEB, PHONE = {"X-API-Key": "web-key-0123456789"}, {"X-API-Key": "phone-key-0123456789"}

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_an_id_cannot_be_guessed(http: httpx.AsyncClient) -> None:
    ids = [(await http.post("/workflow/start", json=body())).json()["workflowId"] for _ in range(3)]
    assert [uuid.UUID(one).version for one in ids] == [8, 8, 8]  # in 122 random bits, as a v4 has them
    assert len(set(ids)) == 3


@pytest.mark.parametrize(
    "path", ["/workflow", "/workflow/", "/workflow/start", "/workflows", "/workflow/*", "/workflow/%25"]
)
async def test_nothing_lists_what_there_is(http: httpx.AsyncClient, path: str) -> None:
    known = (await http.post("/workflow/start", json=body())).json()["workflowId"]
    answer = await http.get(path)
    assert answer.status_code in {404, 405}
    assert known not in answer.text


async def test_another_caller_s_idempotency_key_leads_to_nothing_of_his(settings: Settings, client: Client) -> None:
    keys = {name: SecretStr(key["X-API-Key"]) for name, key in (("web", WEB), ("phone", PHONE))}
    async with serving(settings.model_copy(update={"api_keys": tuple(keys.items())}), client) as served:
        guessed = {"Idempotency-Key": f"order 1 {uuid.uuid4()}"}
        mine = await served.http.post("/workflow/start", json=body(), headers=guessed | WEB)
        same_body = await served.http.post("/workflow/start", json=body(), headers=guessed | PHONE)
        assert (mine.status_code, same_body.status_code) == (202, 202)
        assert mine.json()["workflowId"] != same_body.json()["workflowId"]
        reused = await served.http.post("/workflow/start", json=body(sessionId="x"), headers=guessed | PHONE)
        assert reused.status_code == 409
        assert mine.json()["workflowId"] not in reused.text


async def test_without_api_keys_a_used_key_with_another_photo_names_no_try_on(http: httpx.AsyncClient) -> None:
    guessed = {"Idempotency-Key": f"order 2 {uuid.uuid4()}"}
    mine = await http.post("/workflow/start", json=body(), headers=guessed)
    reused = await http.post("/workflow/start", json=body(sessionId="x"), headers=guessed)
    assert reused.status_code == 409
    assert mine.json()["workflowId"] not in reused.text
