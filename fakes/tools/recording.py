"""Record and replay: how long a real service takes and how often it fails becomes a fake's profile and rules.

`python -m fakes.tools.recording record --service a100 --target http://10.0.0.7:8008 --port 8108 --out a100.jsonl`
`python -m fakes.tools.recording profile a100.jsonl --service a100 --profile profile.yaml --rules rules.yaml`

The recorder stands between the pipeline and the service. Of each call it keeps the operation, the status, the seconds
and the names and types of the answer's fields; no address, header, picture, key or text of the answer.
"""

import argparse
import asyncio
import json
import sys
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn
import yaml
from fastapi import FastAPI, Request, Response

from fakes.kit.rules import read_rules
from fakes.profiles import read_profile
from fakes.registry import SERVICES

OPERATIONS = {
    service.name: {f"{one.method} {one.path.partition('/{')[0]}": one.name for one in service.operations}
    for service in SERVICES.values()
}
"""By service and by method and the first part of the path, the names of operations."""
HOP_BY_HOP = {"host", "connection", "content-length", "transfer-encoding", "content-encoding", "accept-encoding"}
OWN = HOP_BY_HOP | {"keep-alive", "date", "server"}
"""What the recorder's own answers have already."""
FEWEST_CALLS = 5
"""An operation that was called less often gets no latency: that would be no distribution."""


def recorder(service: str, target: str, out: Path) -> FastAPI:
    """Return a proxy for a service that appends a line to `out` for each call of a known operation."""
    jobs: dict[str, float] = {}

    @asynccontextmanager
    async def running(app: FastAPI) -> AsyncIterator[None]:
        async with httpx.AsyncClient(base_url=target, timeout=300, trust_env=False) as client:
            app.state.client = client
            yield

    app = FastAPI(lifespan=running, openapi_url=None)

    @app.api_route("/{path:path}", methods=["GET", "POST"])
    async def forward(request: Request, path: str) -> Response:
        began = time.time()
        headers = [(name, value) for name, value in request.headers.items() if name not in HOP_BY_HOP]
        status, answer, body, given = 502, None, b"", [("content-type", "text/plain")]
        try:
            client: httpx.AsyncClient = app.state.client
            url = httpx.URL(path="/" + path, query=request.url.query.encode())
            got = await client.request(request.method, url, content=await request.body(), headers=headers)
            status, body = got.status_code, got.content
            given = [(name, value) for name, value in got.headers.multi_items() if name.lower() not in OWN]
            answer = got.json()
        except httpx.HTTPError as error:
            body = f"the recorded service gave no answer: {type(error).__name__}".encode()
        except ValueError:
            pass  # no JSON: recorded as such
        operation = OPERATIONS[service].get(f"{request.method} /{path.split('/', maxsplit=1)[0]}")
        if operation:
            entry = describe(operation, status, time.time() - began, answer)
            if operation == "submit" and isinstance(answer, dict):
                jobs[str(answer.get("job_id"))] = began
            elif operation == "poll" and isinstance(answer, dict) and answer.get("status") != "processing":
                submitted = jobs.pop(path.rpartition("/")[2], None)
                entry |= {"job": answer.get("status") if answer.get("status") in {"completed", "failed"} else "unknown"}
                entry |= {"job_seconds": round(time.time() - submitted, 3)} if submitted else {}
            with out.open("a") as lines:
                lines.write(json.dumps(entry) + "\n")
        response = Response(body, status)
        for name, value in given:
            response.headers.append(name, value)
        return response

    return app


def describe(operation: str, status: int, seconds: float, answer: object) -> dict[str, Any]:
    """Return what is kept of a call: names and types of the answer, none of its values."""
    fields = {name: type(value).__name__ for name, value in answer.items()} if isinstance(answer, dict) else None
    return {"operation": operation, "status": status, "seconds": round(seconds, 4), "fields": fields}


def replay(service: str, calls: Iterable[dict[str, Any]]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return a profile and rules that make a fake as slow and as unreliable as the recording.

    A job's service time is that from its submit to its first poll that says completed.

    Raises:
        RulesInvalid: what was recorded makes no valid profile or rules.
    """
    seconds: dict[str, list[float]] = defaultdict(list)
    statuses: dict[str, Counter[int]] = defaultdict(Counter)
    ended: Counter[str] = Counter()
    for call in calls:
        statuses[call["operation"]][call["status"]] += 1
        if call.get("job"):
            ended[call["job"]] += 1
        if call.get("job") == "completed" and "job_seconds" in call:
            seconds["submit"].append(call["job_seconds"])
        elif call["operation"] != "submit" and call["status"] < 400:
            seconds[call["operation"]].append(call["seconds"])
    latency = {
        name: {"samples": sorted(found)} for name, found in sorted(seconds.items()) if len(found) >= FEWEST_CALLS
    }
    profile = {"name": f"recorded-{service}", "latency": latency}
    rules = []
    for operation, counted in sorted(statuses.items()):
        left = counted.total()
        for status, number in sorted(counted.items()):
            if status == 429 or status >= 500:
                name, fault = f"recorded-{operation}-{status}", {"kind": "status", "status": status}
                # of the calls that the rules before it let pass, since each draws for itself
                rules.append(_by_chance(name, service, operation, number / left, fault))
                left -= number
    if ended["failed"]:
        share = ended["failed"] / ended.total()
        rules.append(_by_chance("recorded-job-failed", service, "submit", share, {"kind": "job_failed"}))
    read_profile(profile, service)
    read_rules(rules)
    return profile, rules


def _by_chance(name: str, service: str, operation: str, p: float, fault: dict[str, Any]) -> dict[str, Any]:
    return {"id": name, "service": service, "operation": operation, "p": round(p, 4), "fault": fault}


def main(arguments: Sequence[str]) -> int:
    """Record, or turn a recording into a profile and rules. Exit code 2 for a recording that cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m fakes.tools.recording")
    commands = parser.add_subparsers(dest="command", required=True)
    record = commands.add_parser("record", help="stand between the pipeline and a service")
    record.add_argument("--service", required=True, choices=sorted(OPERATIONS))
    record.add_argument("--target", required=True, help="the service's address")
    record.add_argument("--port", type=int, required=True)
    record.add_argument("--out", type=Path, required=True)
    turn = commands.add_parser("profile", help="turn a recording into SIM_PROFILE and SIM_RULES")
    turn.add_argument("recording", type=Path)
    turn.add_argument("--service", required=True, choices=sorted(OPERATIONS))
    turn.add_argument("--profile", type=Path, required=True)
    turn.add_argument("--rules", type=Path, required=True)
    chosen = parser.parse_args(arguments)
    if chosen.command == "record":
        app = recorder(chosen.service, chosen.target, chosen.out)
        asyncio.run(uvicorn.Server(uvicorn.Config(app, port=chosen.port, log_level="warning")).serve())
        return 0
    try:
        calls = [json.loads(line) for line in chosen.recording.read_text().splitlines()]
        profile, rules = replay(chosen.service, calls)
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"{chosen.recording}: cannot be used: {error}", file=sys.stderr)  # noqa: T201 - the command's own voice
        return 2
    chosen.profile.write_text(yaml.safe_dump(profile, sort_keys=False))
    chosen.rules.write_text(yaml.safe_dump(rules, sort_keys=False))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
