"""`.env` counts for all of a process: our settings, Temporal's SDK and OpenTelemetry, in each entry point."""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest

from app.process.environment import BadEnvironmentError, read_environment
from app.settings import Settings
from scenarios.processes.ports import reserve_port
from scenarios.stack.stack import Stack

ENTRANCES = ("app.gateway", "app.worker", "app.doctor")


def write(folder: Path, variables: dict[str, str]) -> None:
    (folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in variables.items()))


@asynccontextmanager
async def running(module: str, folder: Path, **environment: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run an entry point in this folder, whose environment says nothing but the path, and what is given."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        env=kept | environment,
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(60):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def said(process: asyncio.subprocess.Process, words: bytes) -> bytes:
    """Return all that the process said until these words, or its end."""
    assert process.stdout is not None
    lines = b""
    async for line in process.stdout:
        lines += line
        if words in line:
            break
    return lines


@pytest.fixture
def collector() -> Iterator[tuple[str, list[str]]]:
    """An address for traces, and the paths that something was sent to."""
    paths: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            paths.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", paths
    server.shutdown()
    server.server_close()
    thread.join()


async def test_the_worker_finds_temporal_by_it(backing: Stack, tmp_path: Path) -> None:
    write(tmp_path, backing.environment | {"TASK_QUEUE": "by-dotenv"})
    async with running("app.worker", tmp_path) as process:
        log = await said(process, b"worker started")
        assert b"by-dotenv" in log, log.decode()
        process.send_signal(signal.SIGTERM)
        await said(process, b"worker stopped")
        assert await process.wait() == 0


async def test_the_gateway_finds_temporal_and_the_collector_by_it_and_the_environment_wins(
    backing: Stack, tmp_path: Path, collector: tuple[str, list[str]]
) -> None:
    endpoint, paths = collector
    write(tmp_path, backing.environment | {"GATEWAY_PORT": "1", "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint})
    port = reserve_port()
    async with running("app.gateway", tmp_path, GATEWAY_PORT=str(port)) as process:
        log = await said(process, b"gateway listening")
        assert str(port).encode() in log, log.decode()
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as http:
            assert (await http.get("/readyz")).status_code == 200
            assert (await http.get("/workflow/nobody-s")).status_code == 404
        process.send_signal(signal.SIGTERM)
        await said(process, b"gateway stopped")
        assert await process.wait() == 0
    assert paths == ["/v1/traces"]


async def test_the_doctor_looks_at_what_it_names(backing: Stack, tmp_path: Path) -> None:
    write(tmp_path, backing.environment)
    async with running("app.doctor", tmp_path) as process:
        report = (await said(process, b"Everything that a try-on needs answers")).decode()
        assert f"{backing.temporal_address}, namespace default" in report
        assert await process.wait() == 0, report


@pytest.mark.parametrize("module", ENTRANCES)
async def test_one_that_is_no_text_is_a_clear_error(module: str, tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"SAM3_URL=\xff\n")
    async with running(module, tmp_path) as process:
        words = (await said(process, b"no such words")).decode()
        assert await process.wait() == 2
        assert f"{tmp_path / '.env'} cannot be read" in words
        assert "Traceback" not in words


def test_what_is_in_the_environment_is_left_as_it_is_even_if_it_is_empty(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("TEMPORAL_NAMESPACE", "TEMPORAL_ADDRESS", *(name.upper() for name in Settings.model_fields)):
        monkeypatch.setenv(name, "")  # so that it is put back after the test
        monkeypatch.delenv(name)
    write(tmp_path, {"TEMPORAL_ADDRESS": "temporal.test:7233", "TEMPORAL_NAMESPACE": "other", "SAM3_URL": "no address"})
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "")
    with pytest.raises(BadEnvironmentError, match="  SAM3_URL: Value error, must be an http or https address"):
        read_environment()
    assert os.environ["TEMPORAL_ADDRESS"] == "temporal.test:7233"
    assert os.environ["TEMPORAL_NAMESPACE"] == ""
