"""API keys and the limit of starts: who gets in, who is told no, and what is said of it."""

from collections.abc import AsyncIterator
from random import Random
from typing import Any

import httpx
import pytest
import pytest_asyncio
import structlog
from pydantic import ValidationError
from structlog.testing import capture_logs
from temporalio.client import Client

from app.errors.request import TooManyStartsError, UnauthorizedError
from app.gateway.admission.access import MOST_CALLERS, Access, StartLimit
from app.settings import Settings, explain
from tests.app.gateway.conftest import body, serving
from tests.daily import every

WEB, PHONE = "web-key-0123456789", "phone-key-0123456789"

pytestmark = pytest.mark.asyncio(loop_scope="session")


def with_access(settings: Settings, **changes: Any) -> Settings:
    return Settings.model_validate(settings.model_dump() | {"azure_account_key": settings.azure_account_key} | changes)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def guarded(settings: Settings, client: Client) -> AsyncIterator[httpx.AsyncClient]:
    """A gateway with two keys and two starts a minute for each."""
    rules = with_access(settings, api_keys=f"web:{WEB},phone:{PHONE}", start_limit_per_minute=2)
    async with serving(rules, client) as served:
        yield served.http


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/workflow/start"),
        ("GET", "/workflow/x"),
        ("POST", "/workflow/x/cancel"),
        ("GET", "/workflow/x/events"),
    ],
)
@pytest.mark.parametrize(
    "headers",
    every(
        3,
        [
            {},
            {"Authorization": "Bearer wrong-key-0123456789"},
            {"Authorization": f"Basic {WEB}"},
            {"Authorization": "Bearer"},
            {"X-API-Key": ""},
            {"X-API-Key": WEB[:-1]},
            {"X-API-Key": f"{WEB}x"},
            {"X-API-Key": "schlüssel-0123456789".encode()},
        ],
        "one more key that is none",
    ),
)
async def test_without_one_of_the_keys_nothing_opens(
    guarded: httpx.AsyncClient, method: str, path: str, headers: dict[str, str]
) -> None:
    answer = await guarded.request(method, path, headers=headers, json=body() if method == "POST" else None)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "UNAUTHORIZED"
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_each_key_opens_in_both_headers(guarded: httpx.AsyncClient) -> None:
    for headers in (
        {"Authorization": f"Bearer {WEB}"},
        {"X-API-Key": WEB},
        {"X-API-Key": PHONE},
        {"X-API-Key": WEB, "Authorization": "Bearer of-a-proxy-in-front"},
        {"X-API-Key": "of-a-proxy-in-front", "Authorization": f"Bearer {WEB}"},
    ):
        answer = await guarded.get("/workflow/there-is-none", headers=headers)
        assert answer.status_code == 404


async def test_the_log_names_the_caller_of_each_request(guarded: httpx.AsyncClient) -> None:
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as said:
        await guarded.get("/workflow/there-is-none", headers={"X-API-Key": PHONE})
    assert [line["caller"] for line in said if line["event"] == "request"] == ["phone"]


async def test_what_machines_ask_stays_open(guarded: httpx.AsyncClient) -> None:
    for path in ("/livez", "/readyz", "/health"):
        assert (await guarded.get(path)).status_code == 200


async def test_a_browser_may_ask_before_it_sends_a_key(guarded: httpx.AsyncClient) -> None:
    headers = {"Origin": "http://localhost:5173", "Access-Control-Request-Method": "POST"}
    headers["Access-Control-Request-Headers"] = "authorization"
    answer = await guarded.options("/workflow/start", headers=headers)
    assert answer.status_code == 200
    assert "authorization" in answer.headers["access-control-allow-headers"].lower()
    refused = await guarded.get("/workflow/x", headers={"Origin": "http://localhost:5173"})
    assert refused.status_code == 401
    assert refused.headers["access-control-allow-origin"] == "http://localhost:5173"


async def test_each_caller_has_its_own_starts_and_nothing_else_is_limited(settings: Settings, client: Client) -> None:
    rules = with_access(settings, api_keys=f"web:{WEB},phone:{PHONE}", start_limit_per_minute=2)
    async with serving(rules, client) as served:
        web, phone = {"X-API-Key": WEB}, {"X-API-Key": PHONE}
        answers = [await served.http.post("/workflow/start", json=body(), headers=web) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [202, 202, 429]
        assert answers[2].json()["error"]["code"] == "TOO_MANY_STARTS"
        assert 0 < int(answers[2].headers["retry-after"]) <= 30
        started = f"/workflow/{answers[0].json()['workflowId']}"
        assert (await served.http.post("/workflow/start", json=body(), headers=phone)).status_code == 202
        for _ in range(5):
            assert (await served.http.get(started, headers=web)).status_code == 200


async def test_without_keys_each_address_has_its_own_starts(settings: Settings, client: Client) -> None:
    async with serving(with_access(settings, start_limit_per_minute=1), client) as served:
        answers = [await served.http.post("/workflow/start", json=body()) for _ in range(2)]
        forged = await served.http.post("/workflow/start", json=body(), headers={"X-Forwarded-For": "203.0.113.9"})
    assert [answer.status_code for answer in answers] == [202, 429]
    assert forged.status_code == 429  # nobody is believed who is not a known proxy


async def test_what_is_off_is_said(settings: Settings) -> None:
    with capture_logs() as said:
        Access(settings).say_what_is_off()
    assert [(line["log_level"], line["variable"]) for line in said] == [
        ("warning", "API_KEYS"),
        ("warning", "START_LIMIT_PER_MINUTE"),
    ]
    with capture_logs() as said:
        Access(with_access(settings, api_keys=f"web:{WEB}", start_limit_per_minute=5)).say_what_is_off()
    assert not said


async def test_a_caller_is_a_key_s_name_or_a_network(settings: Settings) -> None:
    keyed = Access(with_access(settings, api_keys=f"web:{WEB},phone:{PHONE}"))
    assert keyed.caller([PHONE], "192.0.2.1") == "phone"
    assert keyed.caller([WEB, PHONE], "192.0.2.1") == "web"
    with pytest.raises(UnauthorizedError):
        keyed.caller([None], "192.0.2.1")
    keyless = Access(settings)
    assert keyless.caller(["anything"], "192.0.2.1") == "192.0.2.1"
    assert keyless.caller([], "2001:db8:1:2::1") == keyless.caller([], "2001:db8:1:2:ffff::9")
    assert keyless.caller([], "2001:db8:1:2::1") != keyless.caller([], "2001:db8:1:3::1")
    assert keyless.caller([], "::ffff:192.0.2.1") == "192.0.2.1"
    assert keyless.caller([], "") == "unknown"


async def test_starts_come_back_evenly_and_the_memory_is_bounded(settings: Settings) -> None:
    now = 0.0
    limit = StartLimit(4, lambda: now)
    assert [limit.take("a") for _ in range(5)] == [0, 0, 0, 0, 15]
    now = 15.0
    assert [limit.take("a") for _ in range(2)] == [0, 15]
    now = 3600.0
    assert [limit.take("a") for _ in range(5)] == [0, 0, 0, 0, 15]  # no more are saved up than a minute's
    for caller in range(MOST_CALLERS + 5):
        limit.take(str(caller))
    assert len(limit._buckets) == MOST_CALLERS
    access = Access(with_access(settings, start_limit_per_minute=1), lambda: now)
    access.count_start("a")
    with pytest.raises(TooManyStartsError) as refused:
        access.count_start("a")
    assert refused.value.retry_after == 60


@pytest.mark.parametrize("seed", range(20))
async def test_in_any_minutes_no_more_starts_are_let_in_than_the_limit_allows(seed: int) -> None:
    """However often, and whenever, somebody asks: a refusal gives nothing back, and who waits for so long is let in."""
    draw, now, let_in, wait, asked = Random(seed), 0.0, 0, 0.0, 0.0
    limit = StartLimit(30, lambda: now)
    for _ in range(400):
        now += draw.choice((0.0, 0.1, 0.7, 1.0, 3.0))
        due = wait > 0 and now >= asked + wait
        refused = limit.take("a")
        assert not (refused and due), "it came when it was told to"
        let_in += not refused
        assert let_in <= 30 + now * 30 / 60
        wait, asked = refused, now


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("a web:x", "entry 1 must be NAME:KEY"),
        (f"web:{WEB},:{PHONE}", "entry 2 must be NAME:KEY"),
        ("web:short", "the key of 'web' must have at least 16 characters"),
        (f"web:{WEB},web:{PHONE}", "each name and each key may be there once"),
        (f"web:{WEB},phone:{WEB}", "each name and each key may be there once"),
    ],
)
async def test_wrong_keys_are_refused_without_repeating_them(settings: Settings, value: str, told: str) -> None:
    with pytest.raises(ValidationError) as refused:
        with_access(settings, api_keys=value)
    said = explain(refused.value)
    assert f"API_KEYS: Value error, {told}" in said
    assert WEB not in said
    assert "short" not in said
