import httpx
import pytest
import structlog
from fastapi import FastAPI

from app.gateway.routes import Parts
from tests.app.gateway.conftest import Served

pytestmark = pytest.mark.asyncio(loop_scope="session")

ALLOWED = [
    "http://localhost:3000",
    "http://localhost:5173",
    "http://localhost:80",
    "https://app.lovableproject.com",
    "https://7c9e6679-7425-40de.lovableproject.com",
    "https://a.b.lovableproject.com",
]
REFUSED = [
    "http://localhost",
    "https://localhost:3000",
    "http://localhost.evil.com",
    "http://localhost:3000.evil.com",
    "http://localhost:3000@evil.com",
    "http://evil.com:3000",
    "http://127.0.0.1:3000",
    "http://notlocalhost:3000",
    "https://lovableproject.com",
    "http://app.lovableproject.com",
    "https://app.lovableproject.com.evil.com",
    "https://applovableproject.com",
    "https://evil-lovableproject.com",
    "https://app.lovableprojectxcom",
    "https://app.lovableproject.com:8443",
    "https://evil.com/.lovableproject.com",
    "https://evil.com?.lovableproject.com",
    "https://evil.com#.lovableproject.com",
    "https://.lovableproject.com",
    "https://a..lovableproject.com",
    "https://a b.lovableproject.com",
    "null",
]


@pytest.mark.parametrize("origin", ALLOWED)
async def test_the_specified_origins_may_call(http: httpx.AsyncClient, origin: str) -> None:
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,idempotency-key",
    }
    preflight = await http.options("/workflow/start", headers=asked)
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == origin
    assert "POST" in preflight.headers["access-control-allow-methods"]
    assert "idempotency-key" in preflight.headers["access-control-allow-headers"]
    for answer in (
        await http.get("/livez", headers={"Origin": origin}),
        await http.get("/workflow/unknown", headers={"Origin": origin}),
        await http.post("/workflow/start", headers={"Origin": origin}, content=b"{"),
        await http.get("/no/such/path", headers={"Origin": origin}),
    ):
        assert answer.headers["access-control-allow-origin"] == origin
        assert "Origin" in answer.headers["vary"]


@pytest.mark.parametrize("origin", REFUSED)
async def test_no_look_alike_may(http: httpx.AsyncClient, origin: str) -> None:
    preflight = await http.options(
        "/workflow/start", headers={"Origin": origin, "Access-Control-Request-Method": "POST"}
    )
    assert preflight.status_code == 400
    for answer in (preflight, await http.get("/livez", headers={"Origin": origin})):
        assert "access-control-allow-origin" not in answer.headers


async def test_an_unexpected_error_is_a_500_that_a_browser_can_read_and_tells_nothing(gateway: Served) -> None:
    app: FastAPI = gateway.app
    parts: Parts = app.state.parts
    del app.state.parts  # a defect: the endpoints need it
    try:
        with structlog.testing.capture_logs() as logs:
            answer = await gateway.http.get("/workflow/some-id", headers={"Origin": ALLOWED[0]})
    finally:
        app.state.parts = parts
    assert "unexpected error" in [line["event"] for line in logs]
    assert answer.status_code == 500
    assert answer.json() == {
        "error": {"code": "INTERNAL_ERROR", "message": "An unexpected error in the backend", "details": []}
    }
    assert answer.headers["access-control-allow-origin"] == ALLOWED[0]
