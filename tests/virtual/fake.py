"""A service without a clock: it answers as of its caller's time, and claims what its answers take."""

import asyncio
import contextlib
import socket
import threading
import time
import uuid
from collections.abc import Iterator

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

done_at: dict[str, float] = {}
PADDING = "x" * 200_000


def _now(request: Request) -> float:
    return float(request.headers.get("x-sim-time", time.time()))


async def submit(request: Request) -> JSONResponse:
    job = str(uuid.uuid4())
    done_at[job] = _now(request) + float(request.query_params["seconds"])
    return JSONResponse({"job": job})


async def poll(request: Request) -> JSONResponse:
    return JSONResponse({"done": _now(request) >= done_at[request.path_params["job"]] - 1e-6})


async def slow(request: Request) -> JSONResponse:
    """An answer that takes its time: it says so to a caller in virtual time, and takes it from any other."""
    seconds = request.query_params["seconds"]
    if "x-sim-time" not in request.headers:
        await asyncio.sleep(min(float(seconds), 120))
    return JSONResponse({}, headers={"x-sim-elapsed": seconds})


async def really(request: Request) -> JSONResponse:
    """A large answer that takes real time."""
    await asyncio.sleep(float(request.path_params["seconds"]))
    return JSONResponse({"padding": PADDING})


async def take(request: Request) -> JSONResponse:
    return JSONResponse({"bytes": len(await request.body())})


@contextlib.contextmanager
def serving() -> Iterator[str]:
    routes = [
        Route("/jobs", submit, methods=["POST"]),
        Route("/jobs/{job}", poll),
        Route("/slow", slow),
        Route("/really/{seconds}", really),
        Route("/take", take, methods=["POST"]),
    ]
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # else Nagle's 40 ms an answer
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(Starlette(routes=routes), log_level="critical", loop="asyncio", timeout_keep_alive=600)
    )
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])))
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
