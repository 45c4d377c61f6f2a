import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from temporalio.client import Client

from app.gateway import health
from app.gateway.health import HealthChecks
from app.settings import Settings
from tests.app.gateway.conftest import Served, serving

pytestmark = pytest.mark.asyncio(loop_scope="session")

ONLINE = b'{"status": "online", "gpu_memory_free": 40000}'


class Service:
    """A server that answers every request with this status and body, or hangs, and keeps what it was asked."""

    def __init__(self, status: int = 200, body: bytes = b"{}", *, hangs: bool = False) -> None:
        self.status, self.body, self.hangs = status, body, hangs
        self.asked: list[str] = []
        self.url = ""

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server:
            yield

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.asked.append(" ".join(head.split()[:2]))
        if not self.hangs:
            answer = f"HTTP/1.1 {self.status} x\r\nContent-Length: {len(self.body)}\r\nConnection: close\r\n\r\n"
            writer.write(answer.encode() + self.body)
            await writer.drain()
        else:
            await reader.read()  # until the caller gives up
        writer.close()
        await writer.wait_closed()


Serve = Callable[..., object]


@asynccontextmanager
async def gateway_before(
    settings: Settings,
    client: Client,
    *a100: Service,
    manipulator: Service | None = None,
    birefnet: Service | None = None,
    sam3: Service | None = None,
) -> AsyncIterator[Served]:
    """A gateway whose services are these; those that are not given answer 404 to everything."""
    async with AsyncExitStack() as closing:
        services = [manipulator or Service(404), birefnet or Service(404), sam3 or Service(404), *a100]
        for service in services:
            await closing.enter_async_context(service.listening())
        names = ("image_manipulator_url", "birefnet_url", "sam3_url")
        urls: dict[str, object] = {name: service.url for name, service in zip(names, services, strict=False)}
        told = settings.model_copy(update=urls | {"a100_urls": tuple(one.url for one in a100)})
        yield await closing.enter_async_context(serving(told, client))


async def test_everything_online_in_the_specified_shape(settings: Settings, client: Client) -> None:
    manipulator, a100 = Service(404), Service(body=ONLINE)
    async with gateway_before(settings, client, a100, manipulator=manipulator) as served:
        answer = await served.http.get("/health")
        assert answer.status_code == 200
        assert answer.json() == {
            "status": "healthy",
            "temporal": "connected",
            "services": {"a100": "online", "imageManipulator": "online", "birefnet": "online", "sam3": "online"},
        }
    assert a100.asked == ["GET /health"]
    assert manipulator.asked == ["GET /"]


@pytest.mark.parametrize("status", [200, 301, 401, 404, 405, 422])
async def test_any_answer_below_500_is_a_sign_of_life(settings: Settings, client: Client, status: int) -> None:
    async with gateway_before(settings, client, Service(body=ONLINE), sam3=Service(status)) as served:
        assert (await served.http.get("/health")).json()["status"] == "healthy"


async def test_a_host_without_the_app_is_offline(settings: Settings, client: Client) -> None:
    stopped = Service(404, b"modal-http: app for invoked web endpoint is stopped")
    app_itself = Service(404, b'{"detail":"Not Found"}')
    async with gateway_before(settings, client, Service(body=ONLINE), birefnet=stopped, sam3=app_itself) as served:
        told = (await served.http.get("/health")).json()
        assert told["status"] == "degraded"
        assert (told["services"]["birefnet"], told["services"]["sam3"]) == ("offline", "online")


async def test_a_service_with_5xx_is_offline_and_the_whole_degraded(settings: Settings, client: Client) -> None:
    async with gateway_before(settings, client, Service(body=ONLINE), birefnet=Service(503)) as served:
        told = (await served.http.get("/health")).json()
        assert told["status"] == "degraded"
        assert told["services"] == {
            "a100": "online",
            "imageManipulator": "online",
            "birefnet": "offline",
            "sam3": "online",
        }


@pytest.mark.parametrize(
    ("first", "reach"),
    [
        (Service(body=b'{"status": "offline"}'), "offline"),
        (Service(500, ONLINE), "offline"),
        (Service(404, ONLINE), "offline"),
        (Service(body=b"online"), "offline"),
        (Service(body=b'{"status": 1}'), "offline"),
        (Service(body=b"[]"), "offline"),
        (Service(body=b'{"status": "online", "more": "' + b"x" * 200_000 + b'"}'), "offline"),
        (Service(body=ONLINE), "online"),
    ],
)
async def test_the_a100_is_online_when_it_says_so(
    settings: Settings, client: Client, first: Service, reach: str
) -> None:
    async with gateway_before(settings, client, first) as served:
        assert (await served.http.get("/health")).json()["services"]["a100"] == reach


async def test_one_a100_that_is_online_is_enough(settings: Settings, client: Client) -> None:
    async with gateway_before(settings, client, Service(503), Service(body=ONLINE)) as served:
        assert (await served.http.get("/health")).json()["status"] == "healthy"


async def test_whatever_hangs_the_answer_comes(
    settings: Settings, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert health.CHECK_DEADLINE < 3  # what docs/api.md promises
    monkeypatch.setattr(health, "CHECK_DEADLINE", 0.2)
    hung = {name: Service(hangs=True) for name in ("manipulator", "birefnet", "sam3")}
    async with gateway_before(settings, client, Service(hangs=True), Service(hangs=True), **hung) as served:
        told = (await served.http.get("/health")).json()  # what hangs does so until its caller leaves
        assert told["status"] == "degraded"
        assert set(told["services"].values()) == {"slow"}  # it may be starting: nobody knows that it is away


async def test_many_who_ask_at_once_and_soon_after_ask_the_services_once(
    settings: Settings, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    a100 = Service(body=ONLINE)
    async with gateway_before(settings, client, a100) as served:
        answers = await asyncio.gather(*(served.http.get("/health") for _ in range(30)))
        answers.append(await served.http.get("/health"))
        assert {answer.text for answer in answers} == {answers[0].text}
        assert a100.asked == ["GET /health"]
        a100.body = b'{"status": "offline"}'
        assert (await served.http.get("/health")).json()["services"]["a100"] == "online"
        monkeypatch.setattr(health, "KEPT", 0.0)
        assert (await served.http.get("/health")).json()["services"]["a100"] == "offline"


async def test_who_leaves_while_the_services_are_asked_takes_nothing_from_the_others(
    settings: Settings, client: Client
) -> None:
    a100 = Service(hangs=True)
    async with gateway_before(settings, client, a100) as served:
        checks: HealthChecks = served.app.state.parts.checks
        first = asyncio.create_task(checks.health())
        second = asyncio.create_task(checks.health())
        await asyncio.sleep(0)
        first.cancel()
        assert (await second).services.a100 == "slow"
        assert a100.asked == ["GET /health"]


async def test_one_slow_a100_beside_one_that_is_away_may_yet_come(settings: Settings, client: Client) -> None:
    async with gateway_before(settings, client, Service(503), Service(hangs=True)) as served:
        assert (await served.http.get("/health")).json()["services"]["a100"] == "slow"


async def test_what_is_not_there_is_offline(settings: Settings, client: Client) -> None:
    away = {"image_manipulator_url": "http://127.0.0.1:9", "a100_urls": ("http://127.0.0.1:9",)}
    async with serving(settings.model_copy(update=away), client) as served:
        services = (await served.http.get("/health")).json()["services"]
        assert (services["imageManipulator"], services["a100"]) == ("offline", "offline")


async def test_livez_and_readyz(gateway: Served) -> None:
    assert (await gateway.http.get("/livez")).status_code == 200
    ready = await gateway.http.get("/readyz")
    assert (ready.status_code, ready.json()) == (200, {"status": "ready"})
