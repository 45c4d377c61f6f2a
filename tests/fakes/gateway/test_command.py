"""The fake gateway as a process."""

import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.fakes.gateway.conftest import body

ROOT = Path(__file__).parents[3]


def run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "fakes.gateway", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def test_it_starts_alone_and_ends_with_an_open_stream_on_sigterm() -> None:
    command = [sys.executable, "-m", "fakes.gateway", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stderr
        url = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
        assert url
        answer = httpx.post(f"{url[0]}/workflow/start", json=body(sessionId="stuck"))
        with httpx.stream("GET", f"{url[0]}/workflow/{answer.json()['workflowId']}/events") as stream:
            lines = stream.iter_lines()
            assert next(lines) == "event: progress"
            process.send_signal(signal.SIGTERM)
            assert [line for line in lines if line.startswith("event: end")] == []
        assert process.wait(10) == 0
        assert process.stderr.read() == ""


def test_a_port_that_is_taken_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = run("--port", str(taken.getsockname()[1]))
    assert ended.returncode == 1
    assert "taken" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("speed", ["0", "-1", "nan", "inf", "fast"])
def test_a_wrong_speed_is_said(speed: str) -> None:
    ended = run(f"--speed={speed}")
    assert ended.returncode == 2
    assert "speed" in ended.stderr
    assert "Traceback" not in ended.stderr
