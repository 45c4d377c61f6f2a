"""Run a fake: from the command line, or inside a test. The server is uvicorn's, with its hands on the connection."""

import argparse
import asyncio
import errno
import logging
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any, TypeVar

import uvicorn
import uvloop
from pydantic import ValidationError
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from . import wire
from .control import control_plane
from .delivery import TRANSPORT
from .lifespan import lifespan
from .rules import RulesInvalid
from .settings import FakeSettings
from .simulated import Simulated

S = TypeVar("S", bound=FakeSettings)
KEEP_ALIVE_SECONDS = 120
"""Longer than any client keeps an idle connection, so that the client is the one that closes."""
BACKLOG = 2048


class Protocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol, which hands the connection to the application, as faults of the connection need."""

    def on_headers_complete(self) -> None:
        """Begin the way through ASGI."""
        self.scope[TRANSPORT] = self.transport  # type: ignore[literal-required] # ours
        super().on_headers_complete()


class Front:
    """A fake with its control plane."""

    def __init__(self, fake: Simulated) -> None:
        self._fake = fake
        self._control = control_plane(fake)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have one of the two answer."""
        steers = scope["type"] == "http" and scope["path"].startswith(wire.CONTROL)
        await (self._control if steers else self._fake)(scope, receive, send)


def listen(host: str, port: int) -> socket.socket:
    """Return a bound socket. IPPROTO_TCP is spelled out: only then does asyncio set TCP_NODELAY on what it accepts.

    Raises:
        OSError: the port is taken, or the host is not one of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


class Server:
    """An ASGI application on one port, whose listener can be closed and opened again: connection refused."""

    def __init__(self, app: ASGIApp, host: str, port: int, state: dict[str, Any]) -> None:
        self._app_state = state
        self._config = uvicorn.Config(
            app,
            http=Protocol,
            interface="asgi3",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
        )
        self._config.load()
        self._state = ServerState()
        self._host = host
        self._port = port
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """The address that callers use."""
        host = "127.0.0.1" if self._host in ("0.0.0.0", "::") else self._host  # noqa: S104 - compared, not bound
        return f"http://[{host}]:{self._port}" if ":" in host else f"http://{host}:{self._port}"

    @property
    def is_open(self) -> bool:
        """Whether connections are accepted."""
        return self._server is not None

    async def open(self) -> None:
        """Accept connections, on the same port as before."""
        listener = listen(self._host, self._port)
        self._port = listener.getsockname()[1]
        self._server = await asyncio.get_running_loop().create_server(self._connection, sock=listener, backlog=BACKLOG)

    def refuse(self) -> None:
        """Close the listener and every connection: from now on the port refuses."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for connection in list(self._state.connections):
            connection.transport.abort()

    async def close(self) -> None:
        """Refuse, and stop the calls that are under way."""
        self.refuse()
        tasks = list(self._state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _connection(self) -> asyncio.Protocol:
        return Protocol(config=self._config, server_state=self._state, app_state=self._app_state)


@asynccontextmanager
async def serving(
    app: ASGIApp, host: str = "127.0.0.1", port: int = 0, control_port: int | None = None
) -> AsyncIterator[str]:
    """Serve an application until the context ends, on a free port unless one is given. The value is its base URL.

    A fake under SIM_ENABLED has its control plane on a second port of loopback as well, which stays open while the
    first one refuses.

    Raises:
        OSError: the port is taken.
        RulesInvalid: the settings' rules or profile are wrong.
    """
    fake = app if isinstance(app, Simulated) and app.settings.sim_enabled else None
    served = Front(fake) if fake is not None else app
    state: dict[str, Any] = {}
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(lifespan(app, state))
        server = Server(served, host, port, state)
        await server.open()
        stack.push_async_callback(server.close)
        if fake is not None:
            control = Server(served, "127.0.0.1", control_port or 0, state)
            await control.open()
            stack.push_async_callback(control.close)
            fake.control_url = control.url
            doorman = asyncio.create_task(_Doorman(fake, server).run())
            stack.push_async_callback(_cancelled, doorman)
        yield server.url


class _Doorman:
    """Closes and opens the listener as the rules with `refuse` say."""

    def __init__(self, fake: Simulated, server: Server) -> None:
        self._fake = fake
        self._server = server
        self._changed = asyncio.Event()
        fake.rules_changed = self.look

    def look(self) -> None:
        """Look at the rules now. Closing is done at once, so that it is done when the control plane answers."""
        now = time.time()
        if self._refusing(now):
            if self._server.is_open:
                asyncio.get_running_loop().call_soon(self._server.refuse)
            self._fake.rules.refused(now)
        self._changed.set()

    async def run(self) -> None:
        """Open and close until cancelled."""
        while True:
            self._changed.clear()
            now = time.time()
            if not self._refusing(now) and not self._server.is_open:
                with suppress(OSError):  # somebody else took the port meanwhile: try again
                    await self._server.open()
            elif self._refusing(now):
                if self._server.is_open:
                    self._server.refuse()
                self._fake.rules.refused(now)
            edges = [edge for span in self._fake.rules.refusals() for edge in span if now < edge < float("inf")]
            pending = [1.0] if self._refusing(now) == self._server.is_open else []
            with suppress(TimeoutError):
                await asyncio.wait_for(
                    self._changed.wait(), min([edge - now for edge in edges] + pending, default=None)
                )

    def _refusing(self, now: float) -> bool:
        return any(begin <= now < end for begin, end in self._fake.rules.refusals())


async def _cancelled(task: asyncio.Task[Any]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def main(service: str, default_port: int, create_app: Callable[[S], ASGIApp], settings: type[S]) -> None:
    """Run a service from the command line until SIGINT or SIGTERM. Exit with 2 for bad settings, 1 for a taken port."""
    parser = argparse.ArgumentParser(
        description=f"A fake {service}. Settings come from the environment: docs/fakes.md."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=default_port)
    parser.add_argument("--control-port", type=int, help="of the second way to /__sim (default: port + 10000)")
    words = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    logging.getLogger("azure").setLevel(logging.WARNING)
    try:
        uvloop.run(_run(service, create_app(settings()), words.host, words.port, words.control_port))
    except ValidationError as invalid:
        for error in invalid.errors(include_url=False):
            print(f"{service}: {'.'.join(map(str, error['loc'])).upper()}: {error['msg']}", file=sys.stderr)  # noqa: T201
        sys.exit(2)
    except (RulesInvalid, ValueError) as error:
        print(f"{service}: {error}", file=sys.stderr)  # noqa: T201 - the command line's own voice
        sys.exit(2)
    except OSError as error:
        why = "the port is taken" if error.errno == errno.EADDRINUSE else error.strerror
        print(f"{service}: cannot listen on {words.host}:{words.port}: {why}", file=sys.stderr)  # noqa: T201
        sys.exit(1)


async def _run(service: str, app: ASGIApp, host: str, port: int, control_port: int | None) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    offset = port + wire.CONTROL_PORT_OFFSET
    control = control_port if control_port is not None else (offset if port and offset < 65_536 else 0)
    async with serving(app, host, port, control) as url:
        logging.getLogger(__name__).info("%s: fake on %s", service, url)
        if isinstance(app, Simulated) and app.control_url:
            logging.getLogger(__name__).info("%s: control plane on %s/__sim too", service, app.control_url)
        await stop.wait()
