"""A fake from the command line: its voice, its exit codes, its signals."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from fakes import sam3
from fakes.kit.serve import main
from fakes.settings import ServiceSettings
from tests.fakes.kit.conftest import serve_toy

STORE = {"AZURE_ACCOUNT_KEY": "a2V5", "AZURE_BLOB_ENDPOINT": "http://127.0.0.1:1/jewelrytryon"}


@contextmanager
def started(module: str, *words: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", f"fakes.{module}", *words],
        env={name: value for name, value in os.environ.items() if not name.startswith(("AZURE", "SIM"))} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def address(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    found = re.search(r"fake on (http://\S+)", process.stderr.readline())
    assert found
    return found[1]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_starts_alone_and_stops_on_a_signal_with_a_call_in_flight(number: signal.Signals) -> None:
    rules = "[{operation: health, key: stuck, fault: {kind: hang}}]"
    with started("a100", "--port", "0", SIM_ENABLED="on", SIM_RULES=rules, **STORE) as process:
        url = address(process)
        assert httpx.get(f"{url}/health").json()["status"] == "online"
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(f"{url}/health", headers={"X-Workflow-Id": "stuck"}, timeout=0.2)
        with socket.create_connection(("127.0.0.1", httpx.URL(url).port or 0)) as waiting:
            waiting.sendall(b"GET /health HTTP/1.1\r\nHost: a\r\nX-Workflow-Id: stuck\r\n\r\n")
            while httpx.get(f"{url}/__sim/health").json()["calls"] < 3:
                pass
            process.send_signal(number)
            assert process.wait(60) == 0


@pytest.mark.parametrize("path", ["/plain", "/items/x"])
async def test_an_idle_connection_is_closed_whichever_way_it_was_answered(
    monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr("fakes.kit.serve.KEEP_ALIVE_SECONDS", 0.3)
    async with serve_toy() as toy:
        parts = httpx.URL(toy.url)
        reader, writer = await asyncio.open_connection(parts.host, parts.port)
        request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        writer.write(request * 2)
        async with asyncio.timeout(10):
            told = await reader.read(-1)
        writer.close()
    assert told.count(b"200 OK") == 2


async def test_a_slow_answer_after_a_quick_one_in_the_same_packet_is_not_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fakes.kit.serve.KEEP_ALIVE_SECONDS", 0.2)
    async with serve_toy() as toy:
        await toy.control.add({"operation": "item", "fault": {"kind": "delay", "seconds": 0.8}})
        parts = httpx.URL(toy.url)
        reader, writer = await asyncio.open_connection(parts.host, parts.port)
        writer.write(
            b"".join(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() for path in ("/plain", "/items/x"))
        )
        async with asyncio.timeout(10):
            told = await reader.read(-1)
        writer.close()
    assert told.count(b"200 OK") == 2


def test_the_control_port_is_the_port_plus_10000() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1] % 20_000 + 20_000
    with started("birefnet", "--port", str(port), SIM_ENABLED="on", **STORE) as process:
        address(process)
        assert httpx.get(f"http://127.0.0.1:{port + 10_000}/__sim/health").json()["service"] == "birefnet"


def failed(monkeypatch: pytest.MonkeyPatch, port: int, environment: dict[str, str]) -> int:
    """Start the fake SAM3 in this process and return the exit code that it ends with."""
    for name in [name for name in os.environ if name.startswith(("AZURE", "SIM"))]:
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "argv", ["sam3", "--port", str(port)])
    with pytest.raises(SystemExit) as ended:
        main("sam3", sam3.SERVICE.port, sam3.create_app, ServiceSettings)
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_a_taken_port_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert failed(monkeypatch, port, STORE) == 1
    assert capsys.readouterr().err == f"sam3: cannot listen on 127.0.0.1:{port}: the port is taken\n"


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({}, "sam3: set AZURE_ACCOUNT_KEY and AZURE_BLOB_ENDPOINT"),
        (STORE | {"FAKES_TIME_SCALE": "0"}, "sam3: FAKES_TIME_SCALE: Input should be greater than 0"),
        (STORE | {"SIM_PROFILE": "slow"}, "sam3: rule profile: name: no profile 'slow'"),
        (
            STORE | {"SIM_PROFILE": "{latency: {generate: 5}}"},
            "latency.generate: sam3 has no 'generate', only submit, poll",
        ),
        (STORE | {"SIM_ENABLED": "1", "SIM_RULES": "[{p: 2, fault: {kind: hang}}]"}, "p: Input should be less than or"),
        (STORE | {"SIM_ENABLED": "1", "SIM_RULES": "nowhere.yaml"}, "nowhere.yaml: cannot be read: No such file"),
    ],
)
def test_bad_settings_are_said_in_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], environment: dict[str, str], told: str
) -> None:
    assert failed(monkeypatch, 0, environment) == 2
    assert told in capsys.readouterr().err


def test_the_control_plane_answers_loopback_alone_unless_told() -> None:
    own = next((info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)), "127.0.0.1")
    if str(own).startswith("127."):
        pytest.skip("this machine has no address but loopback")
    for is_open, status in (("off", 403), ("on", 200)):
        words = {"SIM_ENABLED": "on", "SIM_CONTROL_OPEN": is_open} | STORE
        with started("a100", "--host", "0.0.0.0", "--port", "0", **words) as process:
            port = httpx.URL(address(process)).port
            assert httpx.get(f"http://{own}:{port}/health").status_code == 200
            assert httpx.get(f"http://{own}:{port}/__sim/rules").status_code == status
