"""What FastAPI answers by its whole way it answers by the straight one of the kit."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.applications import Starlette
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Match, Mount, Route
from starlette.types import Scope

from fakes.kit.calls import Operation
from fakes.kit.serve import serving
from fakes.kit.settings import FakeSettings
from fakes.kit.simulated import Simulated

OPERATIONS = (
    Operation("get", "GET", "/jobs/{number}"),
    Operation("put", "PUT", "/jobs/{number}"),
    Operation("send", "POST", "/jobs"),
    Operation("deep", "GET", "/files/{path:path}"),
)
ASKED: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", "/jobs/7", {}),
    ("GET", "/jobs/special", {}),
    ("GET", "/jobs/Special", {}),
    ("GET", "/jobs/teapot", {}),
    ("GET", "/jobs/a%2Fb", {}),
    ("GET", "/jobs/7?wide=true", {}),
    ("PUT", "/jobs/7", {"json": {"a": 1}}),
    ("PUT", "/jobs/7", {"content": b"no json", "headers": {"content-type": "application/json"}}),
    ("PUT", "/jobs/7", {"json": {"a": "x" * 400}}),
    ("POST", "/jobs", {"content": b"0123456789"}),
    ("POST", "/jobs", {}),
    ("GET", "/files/a/b/c", {}),
    ("GET", "/files/a", {}),
    ("DELETE", "/jobs/7", {}),
    ("GET", "/nowhere", {}),
]


class TeapotError(Exception):
    """Has a handler of its own."""


async def _kept(request: Request) -> AsyncIterator[str]:
    opened: list[str] = []
    request.state.opened = opened
    yield "kept"
    opened.append("closed")


def _plain(app: FastAPI | APIRouter) -> None:
    @app.get("/jobs/{number}")
    async def get(
        number: str, request: Request, kept: Annotated[str, Depends(_kept)], *, wide: bool = False
    ) -> dict[str, Any]:
        if number == "teapot":
            raise TeapotError("short and stout")
        if number == "a/b":
            raise HTTPException(404, "no such job")
        return {"number": number, "wide": wide, "kept": kept, "url": request.url_for("get", number=number).path}

    @app.put("/jobs/{number}")
    async def put(number: str, asked: dict[str, int]) -> dict[str, int]:
        return {number: asked["a"]}

    @app.post("/jobs")
    async def send(request: Request) -> int:
        return len(await request.body())

    @app.get("/files/{path:path}")
    async def deep(path: str) -> str:
        return path


def wrapped(app: FastAPI) -> Simulated:
    return Simulated(app, "jobs", FakeSettings(sim_enabled=True), OPERATIONS)


def plain(**options: Any) -> FastAPI:
    app = FastAPI(**options)

    @app.exception_handler(TeapotError)
    async def tea(_: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"tea": str(error)}, 418)

    _plain(app)
    return app


def with_middleware() -> FastAPI:
    app = plain()

    @app.middleware("http")
    async def marks(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await call_next(request)
        response.headers["x-marked"] = request.url.path
        return response

    return app


def with_a_route_before() -> FastAPI:
    app = FastAPI()

    @app.get("/jobs/special")
    async def special() -> str:
        return "special"

    app.include_router(plain().router)
    return app


def with_a_narrower_route() -> FastAPI:
    app = FastAPI()

    @app.get("/jobs/{number:int}")
    async def narrow(number: int) -> int:
        return number

    @app.get("/jobs/{number}")
    async def wide(number: str) -> str:
        return number

    return app


def with_a_mount_before() -> FastAPI:
    app = FastAPI(routes=[Mount("/files", Starlette(routes=[Route("/a", lambda _: JSONResponse("mounted"))]))])
    _plain(app)
    return app


def with_a_router() -> FastAPI:
    app, router = FastAPI(), APIRouter(prefix="")
    _plain(router)
    app.include_router(router)
    return app


def with_its_own_last_resort() -> FastAPI:
    app = FastAPI()

    @app.exception_handler(404)
    async def lost(_: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"lost": str(error)}, 404)

    _plain(app)
    return app


def within_limits() -> FastAPI:
    return plain(max_body_size=100)


def without_bodies() -> FastAPI:
    app = FastAPI()
    _plain(app)
    return FastAPI(routes=app.router.routes, max_body_size=0)


class AnyCase(Route):
    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        return super().matches({**scope, "path": scope["path"].lower()})


def with_a_route_of_its_own_before() -> FastAPI:
    app = FastAPI(routes=[AnyCase("/jobs/special", lambda _: JSONResponse("special"))])
    _plain(app)
    return app


def under_a_path() -> FastAPI:
    app = plain()
    app.root_path = "/v1"
    return app


KINDS = [
    plain, with_middleware, with_a_route_before, with_a_narrower_route, with_a_mount_before, with_a_router,
    with_its_own_last_resort, within_limits, without_bodies, with_a_route_of_its_own_before, under_a_path,
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
async def test_a_wrapped_application_answers_as_it_does_alone(kind: Callable[[], FastAPI]) -> None:
    async with AsyncExitStack() as running:
        alone = await running.enter_async_context(serving(kind()))
        fake = await running.enter_async_context(serving(wrapped(kind())))
        client = await running.enter_async_context(httpx.AsyncClient())
        for method, path, options in ASKED:
            if kind is not plain and path == "/jobs/teapot":
                continue  # what has no handler is a bug of the application, of which the kit tells more
            one, other = [await client.request(method, url.rstrip("/") + path, **options) for url in (alone, fake)]
            assert (one.status_code, one.content) == (other.status_code, other.content), (method, path)
            assert one.headers.get("x-marked") == other.headers.get("x-marked")


def with_a_handler_that_comes_late() -> FastAPI:
    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        app.add_exception_handler(TeapotError, lambda _, error: JSONResponse({"tea": str(error)}, 418))
        yield

    return _raising(lifespan=life)


def with_a_route_that_comes_late() -> FastAPI:
    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        app.router.routes.insert(0, Route("/jobs/{number}", lambda _: JSONResponse("first")))
        yield

    return _raising(lifespan=life)


def _raising(**options: Any) -> FastAPI:
    app = FastAPI(**options)

    @app.get("/jobs/{number}")
    async def get(number: str) -> str:
        raise TeapotError(number)

    return app


@pytest.mark.parametrize(
    ("kind", "status"), [(with_a_handler_that_comes_late, 500), (with_a_route_that_comes_late, 200)]
)
async def test_what_comes_while_the_application_begins_acts_as_it_does_alone(
    kind: Callable[[], FastAPI], status: int
) -> None:
    async with serving(kind()) as alone, serving(wrapped(kind())) as fake, httpx.AsyncClient() as client:
        assert [(await client.get(f"{url}/jobs/7")).status_code for url in (alone, fake)] == [status, status]


async def test_what_comes_after_the_first_call_acts_as_it_does_alone() -> None:
    app = plain()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(wrapped(app)), base_url="http://jobs") as client:
        assert (await client.get("/jobs/7")).status_code == 200
        with pytest.raises(RuntimeError, match="Cannot add middleware"):
            app.add_middleware(GZipMiddleware)
        app.router.routes.insert(0, Route("/jobs/{number}", lambda _: JSONResponse("first")))
        assert (await client.get("/jobs/7")).json() == "first"


async def test_an_application_with_telemetry_tells_it() -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    fake = wrapped(plain(telemetry={"tracer_provider": provider}))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(fake), base_url="http://jobs") as client:
        await client.get("/jobs/7")
    assert "GET /jobs/{number}" in {span.name for span in exporter.get_finished_spans()}


async def test_the_way_to_a_route_that_nothing_precedes_is_straight(monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[str] = []
    other = Route("/nobody/asks/for/this", plain)
    matches = other.matches

    def watched(scope: Scope) -> tuple[Match, Scope]:
        searched.append(scope["path"])
        return matches(scope)

    monkeypatch.setattr(other, "matches", watched)
    app = FastAPI(routes=[other])
    _plain(app)
    fake = wrapped(app)
    async with serving(fake) as url, httpx.AsyncClient(base_url=url) as client:
        assert (await client.get("/jobs/7")).status_code == 200
        assert (await client.put("/jobs/7", json={"a": 1})).json() == {"7": 1}
        assert (await client.get("/openapi.json")).status_code == 200
    assert searched == ["/openapi.json"]
    assert [entry.operation for entry in fake.ledger.calls()] == ["get", "put"]
