"""Serve the gateway: `python -m app.gateway`. SIGTERM lets requests end; Temporal may be down at the start."""

import asyncio
import signal
import socket
import sys
from contextlib import AsyncExitStack
from functools import partial

import structlog
import uvicorn
import uvloop
from fastapi import FastAPI

from app.gateway import open_gateway
from app.gateway.http_limits import BoundedProtocol
from app.gateway.routes import Parts
from app.process.environment import BadEnvironmentError, read_environment
from app.process.logging import configure_logging
from app.process.loop_lag import loop_lag_logged
from app.process.memory import keep_freed_memory
from app.process.telemetry import start_telemetry
from app.process.temporal import connect
from app.process.temporal_credentials import credentials_followed
from app.settings import Settings

GRACE = 25
"""Seconds that requests have to end after SIGTERM."""

BACKLOG = 2048

log = structlog.get_logger(__name__)


class GatewayServer(uvicorn.Server):
    """Ends the watches of browsers first when it stops: they would go on for minutes, and connect again elsewhere."""

    def __init__(self, config: uvicorn.Config, parts: Parts) -> None:
        """Serve by this configuration."""
        super().__init__(config)
        self._parts = parts

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let open requests end."""
        self._parts.watches.stop()
        await super().shutdown(sockets)


def server_for(app: FastAPI, settings: Settings) -> GatewayServer:
    """Return the server that serves this gateway."""
    config = uvicorn.Config(
        app,
        http=BoundedProtocol,
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        forwarded_allow_ips=settings.forwarded_allow_ips,
        timeout_graceful_shutdown=GRACE,
        timeout_keep_alive=settings.keep_alive_s,
    )
    return GatewayServer(config, app.state.parts)


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket. IPPROTO_TCP lets the event loop switch Nagle's delay off on what it accepts.

    Raises:
        OSError: the address cannot be listened on.
    """
    family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    listener = socket.socket(family, kind, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


async def main(settings: Settings, listener: socket.socket) -> None:
    """Serve until SIGINT or SIGTERM."""
    telemetry = start_telemetry("tryon-gateway")
    client = await connect(lazy=True, interceptors=telemetry.interceptors)
    reconnect = partial(connect, interceptors=telemetry.interceptors)
    try:
        async with AsyncExitStack() as around:
            app = await around.enter_async_context(open_gateway(settings, client))
            await around.enter_async_context(loop_lag_logged(settings.loop_lag_log_s))
            await around.enter_async_context(credentials_followed(reconnect, app.state.parts.tryons.use))
            host, port = listener.getsockname()[:2]
            log.info("gateway listening", host=host, port=port)
            telemetry.trace_requests(app)
            app.state.access.say_what_is_off()
            await server_for(app, settings).serve(sockets=[listener])
    finally:
        await asyncio.to_thread(telemetry.close)
    log.info("gateway stopped")


def run() -> int:
    """Read the environment and serve; return the exit code."""
    try:
        settings = read_environment()
    except BadEnvironmentError as error:
        print(error, file=sys.stderr)  # noqa: T201 - before there is a log, the operator's terminal
        return 2
    configure_logging(settings)
    keep_freed_memory()
    try:
        listener = listen(settings.gateway_host, settings.gateway_port)
    except OSError as error:
        log.error(  # noqa: TRY400 - a traceback tells nothing more
            "cannot listen: choose another GATEWAY_HOST or GATEWAY_PORT",
            host=settings.gateway_host,
            port=settings.gateway_port,
            reason=error.strerror,
        )
        return 1
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # uvicorn handles them, and raises them again before we have closed
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(settings, listener))
    return 0


if __name__ == "__main__":
    sys.exit(run())
