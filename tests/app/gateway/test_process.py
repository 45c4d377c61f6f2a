"""The gateway as a process of its own: `python -m app.gateway`."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from scenarios.processes.ports import reserve_port
from scenarios.stack.stack import Stack
from tests.app.gateway.conftest import body, until

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture
def environment(stack: Stack) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return kept | stack.environment | {"GATEWAY_PORT": str(reserve_port())}


@asynccontextmanager
async def running(environment: dict[str, str], folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "app.gateway", env=environment, cwd=folder, stderr=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest_asyncio.fixture(loop_scope="session")
async def http(environment: dict[str, str]) -> AsyncIterator[httpx.AsyncClient]:
    url = f"http://127.0.0.1:{environment['GATEWAY_PORT']}"
    async with httpx.AsyncClient(base_url=url, timeout=30, trust_env=False) as client:
        yield client


async def answers(http: httpx.AsyncClient, path: str, status: int) -> None:
    async def does() -> bool:
        try:
            return (await http.get(path)).status_code == status
        except httpx.TransportError:
            return False

    await until(does, 30)


async def test_it_serves_and_leaves_on_sigterm_when_its_requests_are_done(
    environment: dict[str, str], http: httpx.AsyncClient, tmp_path: Path
) -> None:
    async with running(environment, tmp_path) as process:
        await answers(http, "/readyz", 200)
        workflow_id = (await http.post("/workflow/start", json=body())).json()["workflowId"]
        async with http.stream("GET", f"/workflow/{workflow_id}/events") as stream:
            lines = stream.aiter_lines()
            assert await anext(lines) == "event: progress"
            process.send_signal(signal.SIGTERM)
            assert [line async for line in lines]
        _, log = await asyncio.wait_for(process.communicate(), 20)
        assert process.returncode == 0
        assert b"gateway stopped" in log
        assert b"API keys are off" in log
        assert b"Traceback" not in log
        assert f'"workflow_id": "{workflow_id}"'.encode() in log


async def test_it_starts_and_answers_while_temporal_is_down(
    environment: dict[str, str], http: httpx.AsyncClient, tmp_path: Path
) -> None:
    async with running(environment | {"TEMPORAL_ADDRESS": "127.0.0.1:9"}, tmp_path):
        await answers(http, "/livez", 200)
        assert (await http.get("/readyz")).status_code == 503
        assert (await http.get("/workflow/some-id")).status_code == 503


async def test_a_taken_port_is_a_clear_error(environment: dict[str, str], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as occupant:
        port = occupant.getsockname()[1]
        async with running(environment | {"GATEWAY_PORT": str(port)}, tmp_path) as process:
            _, log = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 1
    assert str(port).encode() in log
    assert b"GATEWAY_PORT" in log
    assert b"Traceback" not in log


async def test_a_missing_variable_is_a_clear_error(environment: dict[str, str], tmp_path: Path) -> None:
    del environment["SAM3_URL"]
    async with running(environment | {"GATEWAY_PORT": "many"}, tmp_path) as process:
        _, log = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 2
    assert b"SAM3_URL" in log
    assert b"GATEWAY_PORT" in log
    assert b"Traceback" not in log
