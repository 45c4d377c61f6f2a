"""Serve the fake gateway: `python -m fakes.gateway`. It needs nothing else, and forgets everything when it ends."""

import argparse
import asyncio
import errno
import signal
import socket
import sys

import uvicorn
import uvloop
from fastapi import FastAPI

from fakes.gateway.application import FakeGateway, create_app
from fakes.gateway.document import document

PORT = 8009


class StreamEndingServer(uvicorn.Server):
    """Ends the streams first when it stops."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let open requests end."""
        gateway = self.config.loaded_app.state.gateway
        assert isinstance(gateway, FakeGateway)
        gateway.leaving.set()
        await super().shutdown(sockets)


def server_for(app: FastAPI) -> StreamEndingServer:
    """Return the server of this application; it says nothing but what the command does."""
    return StreamEndingServer(
        uvicorn.Config(
            app,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=2,
        )
    )


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket.

    Raises:
        OSError: the address cannot be listened on.
    """
    return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=512)


def main() -> int:
    """Serve until SIGINT or SIGTERM. Exit with 2 for bad words, 1 for a port that is taken."""
    parser = argparse.ArgumentParser(prog="fakes.gateway", description="A fake gateway: docs/frontend.md.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument("--speed", type=float, default=1.0, help="so many times faster than the scripts say")
    words = parser.parse_args()
    if not 0 < words.speed < float("inf"):
        parser.error(f"--speed is a number above 0, such as 10; this is {words.speed:g}")
    try:
        document()
        listener = listen(words.host, words.port)
    except FileNotFoundError as missing:
        print(f"fake gateway: its contract is not here: {missing.filename}", file=sys.stderr)  # noqa: T201
        return 1
    except (OSError, OverflowError) as error:
        taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        why = "the port is taken; say another one (PORT=8010)" if taken else str(error)
        print(f"fake gateway: cannot listen on {words.host}:{words.port}: {why}", file=sys.stderr)  # noqa: T201
        return 1
    host, port = listener.getsockname()[:2]
    print(f"fake gateway on http://{host}:{port}, its scenarios on http://{host}:{port}/ (Ctrl-C ends it)", flush=True)  # noqa: T201
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # uvicorn handles them, and raises them again at its end
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(server_for(create_app(words.speed)).serve(sockets=[listener]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
