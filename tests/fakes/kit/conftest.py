import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from fastapi import FastAPI
from pydantic import BaseModel
from starlette.responses import Response

from fakes.kit.calls import Operation
from fakes.kit.client import AsyncControl, LedgerCall
from fakes.kit.serve import serving
from fakes.kit.settings import FakeSettings
from fakes.kit.simulated import Simulated
from fakes.profiles import named


class Ask(BaseModel):
    text: str


class Note(BaseModel, extra="allow"):
    text: Any = None
    size: Any = None


class Plain(BaseModel):
    hello: str


class Told(BaseModel):
    text: str
    length: int


@dataclass
class Wire:
    """What a plain client saw of an answer."""

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float

    @property
    def elapsed(self) -> float:
        return float(self.headers["x-sim-elapsed"])

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Toy:
    """A fake with five operations, and a client that knows nothing but sockets."""

    url: str
    fake: Simulated
    control: AsyncControl
    done: list[str] = field(default_factory=list)
    """The work that the service did."""

    async def ask(
        self, path: str = "/plain", *, virtual: bool = False, key: str = "w", body: object = None, at: float = 1000.0
    ) -> Wire:
        """Raises what the socket raises. A body that ends early is returned as far as it came."""
        parts = urlsplit(self.url)
        started = time.perf_counter()
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            data = b"" if body is None else json.dumps(body).encode()
            lines = [
                f"{'GET' if body is None else 'POST'} {path} HTTP/1.1",
                f"Host: {parts.netloc}",
                f"X-Workflow-Id: {key}",
            ]
            lines += [f"X-Sim-Time: {at}"] if virtual else []
            lines += ["X-Activity-Attempt: 1", "Connection: close", "Content-Type: application/json"]
            lines += [f"Content-Length: {len(data)}", "", ""]
            writer.write("\r\n".join(lines).encode() + data)
            head = await reader.readuntil(b"\r\n\r\n")
            status, *headers = head.decode().split("\r\n")
            named = dict(line.lower().split(": ", 1) for line in headers if line)
            rest = await reader.read(-1)
        finally:
            writer.close()
        return Wire(int(status.split()[1]), named, rest, time.perf_counter() - started)

    async def once(self, true: Callable[[list[LedgerCall]], object]) -> list[LedgerCall]:
        """Return the ledger once that holds for it."""
        async with asyncio.timeout(10):
            while True:
                calls = await self.control.ledger()
                if true(calls):
                    return calls
                await asyncio.sleep(0.01)


OPERATIONS = (
    Operation("plain", "GET", "/plain"),
    Operation("echo", "POST", "/echo", works=True),
    Operation("item", "GET", "/items/{name}"),
    Operation("tell", "POST", "/tell"),
    Operation("nothing", "POST", "/nothing"),
)


def toy_app(settings: FakeSettings, done: list[str]) -> Simulated:
    app = FastAPI()
    fake = Simulated(app, "toy", settings, OPERATIONS, profiles=named("toy"))

    @app.get("/plain")
    async def plain() -> Plain:
        return Plain(hello="world")

    @app.post("/echo")
    async def echo(request: Ask) -> Told:
        await fake.takes()
        done.append(request.text)
        return Told(text=request.text, length=len(request.text))

    @app.get("/items/{name}")
    async def item(name: str) -> Told:
        return Told(text=name, length=len(name))

    @app.post("/tell")
    async def tell(request: Note) -> Told:
        text = request.model_dump_json(exclude_unset=True)
        return Told(text=text, length=len(text))

    @app.post("/nothing", response_model=Told)
    async def nothing() -> Response:
        return Response(status_code=204)

    return fake


@asynccontextmanager
async def serve_toy(**words: Any) -> AsyncIterator[Toy]:
    done: list[str] = []
    fake = toy_app(FakeSettings(**({"sim_enabled": True} | words)), done)
    async with serving(fake) as url, AsyncControl(url) as control:
        yield Toy(url, fake, control, done)


@pytest.fixture
async def toy() -> AsyncIterator[Toy]:
    async with serve_toy() as served:
        yield served


@pytest.fixture(params=[False, True], ids=["real", "virtual"])
def virtual(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)
