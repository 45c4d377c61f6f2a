"""Which proxy an address is reached by: the same rule for all that leaves the process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from app.attempts.deadline import Deadline
from app.errors.services import SAM3_ERRORS
from app.process.proxy import ProxyError, host_and_login, proxy_for
from app.process.temporal import TemporalConfigurationError, configuration, connect
from app.services.http import ServiceClient, http_client
from scenarios.processes.ports import HOST, reserve_port

PROXY = "http://proxy.example:3128"


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "TEMPORAL_ADDRESS", "TEMPORAL_API_KEY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.mark.parametrize(
    ("environment", "address", "proxy"),
    [
        ({}, "https://service.example", None),
        ({"HTTPS_PROXY": PROXY}, "https://service.example", PROXY),
        ({"https_proxy": PROXY}, "https://service.example:8443/jobs", PROXY),
        ({"HTTPS_PROXY": PROXY}, "http://service.example", None),
        ({"HTTP_PROXY": PROXY}, "http://service.example", PROXY),
        ({"ALL_PROXY": PROXY}, "http://service.example", PROXY),
        ({"ALL_PROXY": "http://other.example:1", "HTTPS_PROXY": PROXY}, "https://service.example", PROXY),
        ({"HTTPS_PROXY": "proxy.example:3128"}, "https://service.example", PROXY),
        ({"HTTPS_PROXY": ""}, "https://service.example", None),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "service.example"}, "https://service.example", None),
        ({"HTTPS_PROXY": PROXY, "no_proxy": ".example,10.0.0.1"}, "https://service.example", None),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "*"}, "https://service.example", None),
        ({"HTTPS_PROXY": PROXY, "NO_PROXY": "other.example"}, "https://service.example", PROXY),
        ({"HTTP_PROXY": PROXY}, "http://127.0.0.1:8005", None),
        ({"HTTP_PROXY": PROXY}, "http://127.8.9.1:8005", None),
        ({"HTTP_PROXY": PROXY}, "http://localhost:8005", None),
        ({"HTTP_PROXY": PROXY}, "http://sam3.localhost", None),
        ({"HTTP_PROXY": PROXY}, "http://[::1]:8005", None),
        ({"HTTP_PROXY": PROXY}, "http://10.0.0.1:8005", PROXY),
    ],
)
def test_the_proxy_of_an_address(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], address: str, proxy: str | None
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert proxy_for(address) == proxy


@pytest.mark.parametrize(
    "proxy", ["socks5://proxy.example:1080", "ftp://x", "http://", "http://[::1", "http://a:99999"]
)
def test_a_proxy_of_no_use_is_refused_by_its_variable_and_without_its_password(
    monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy.replace("://", "://user:secret@"))
    with pytest.raises(ProxyError, match="HTTPS_PROXY or ALL_PROXY must be") as caught:
        proxy_for("https://service.example")
    assert "secret" not in str(caught.value)
    monkeypatch.setenv("TEMPORAL_ADDRESS", "cloud.example:7233")
    monkeypatch.setenv("TEMPORAL_API_KEY", "key")
    with pytest.raises(TemporalConfigurationError, match="HTTPS_PROXY"):
        configuration()


def test_a_login_is_read_from_the_proxy_s_address() -> None:
    assert host_and_login("http://me:p%40ss@proxy.example:3128") == ("proxy.example:3128", ("me", "p@ss"))
    assert host_and_login("http://proxy.example") == ("proxy.example:80", None)
    assert host_and_login("https://[::2]") == ("[::2]:443", None)


@asynccontextmanager
async def proxying() -> AsyncIterator[tuple[str, list[str]]]:
    """A proxy that keeps what it is asked, and reaches nothing."""
    asked: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).decode().partition("\r\n")[0])
        writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, HOST, 0)
    async with server:
        yield f"http://{HOST}:{server.sockets[0].getsockname()[1]}", asked


async def _ping(url: str) -> None:
    async with http_client() as http:
        with pytest.raises(SAM3_ERRORS.unavailable):
            await ServiceClient(http, url, SAM3_ERRORS).ping(Deadline(10))


async def test_services_are_reached_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async with proxying() as (proxy, asked):
        monkeypatch.setenv("HTTP_PROXY", proxy)
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        await _ping("http://sam3.example")
        await _ping("https://sam3.example")
        assert asked == ["GET http://sam3.example/ HTTP/1.1", "CONNECT sam3.example:443 HTTP/1.1"]
        await _ping(f"http://{HOST}:{reserve_port()}")  # on this machine: not by the proxy
        assert len(asked) == 2


async def test_temporal_is_reached_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "temporal.example:7233")
    async with proxying() as (proxy, asked):
        monkeypatch.setenv("HTTP_PROXY", proxy)
        with pytest.raises(RuntimeError):
            await connect()
        assert set(asked) == {"CONNECT temporal.example:7233 HTTP/1.1"}
