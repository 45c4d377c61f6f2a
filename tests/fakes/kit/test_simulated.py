"""Any ASGI application, wrapped unchanged; and what a bug of it looks like from outside."""

import json
import logging
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, HTTPException, Request
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from fakes.kit.calls import Operation
from fakes.kit.client import AsyncControl, ControlError
from fakes.kit.serve import serving
from fakes.kit.settings import FakeSettings
from fakes.kit.simulated import Simulated

OPERATIONS = (Operation("charge", "POST", "/charges"), Operation("get", "GET", "/charges/{number}/lines/{line}"))


class Charges:
    """What the three applications share."""

    def __init__(self) -> None:
        self.made: list[Any] = []
        self.lives = 0

    def charge(self, asked: Any) -> dict[str, Any]:
        if asked.get("amount") == 0:
            raise ZeroDivisionError("the ledger's own mistake")
        self.made.append(asked)
        return {"number": len(self.made), "state": "paid"}


def bare(charges: Charges) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"  # it knows no lifespan
        if scope["method"] == "POST":
            told = charges.charge(json.loads((await receive())["body"]))
        elif scope["path"].startswith("/charges/"):
            told = {"line": scope["path"].rpartition("/")[2]}
        else:
            await PlainTextResponse("nothing here", 404)(scope, receive, send)
            return
        await JSONResponse(told)(scope, receive, send)

    return app


def starlette(charges: Charges) -> ASGIApp:
    @asynccontextmanager
    async def living(_: Starlette) -> AsyncIterator[dict[str, int]]:
        charges.lives += 1
        yield {"lives": charges.lives}
        charges.lives -= 1

    async def charge(request: Request) -> JSONResponse:
        assert request.state.lives == 1
        return JSONResponse(charges.charge(await request.json()))

    async def get(request: Request) -> JSONResponse:
        return JSONResponse({"line": request.path_params["line"]})

    routes = [Route("/charges", charge, methods=["POST"]), Route("/charges/{number}/lines/{line}", get)]
    return Starlette(routes=routes, lifespan=living)


def fastapi(charges: Charges) -> ASGIApp:
    app = FastAPI()

    @app.post("/charges")
    async def charge(asked: dict[str, Any]) -> dict[str, Any]:
        if asked.get("amount") == -1:
            raise HTTPException(402, "no such money")
        return charges.charge(asked)

    @app.get("/charges/{number}/lines/{line}")
    async def get(number: str, line: str) -> dict[str, str]:  # noqa: ARG001 - of the path
        return {"line": line}

    return app


@pytest.fixture(params=[bare, starlette, fastapi])
async def payments(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Charges, httpx.AsyncClient, AsyncControl]]:
    charges = Charges()
    fake = Simulated(request.param(charges), "payments", FakeSettings(sim_enabled=True), OPERATIONS)
    async with serving(fake) as url, AsyncControl(url) as control:
        assert charges.lives == (request.param is starlette)
        async with httpx.AsyncClient(base_url=url, headers={"X-Workflow-Id": "w"}, timeout=10) as http:
            yield charges, http, control
    assert charges.lives == 0


async def test_rules_ledger_latency_and_the_callers_time(
    payments: tuple[Charges, httpx.AsyncClient, AsyncControl],
) -> None:
    charges, http, control = payments
    await control.set_profile({"latency": {"get": 5}})
    await control.add(
        {"operation": "charge", "calls": 1, "expect": True, "fault": {"kind": "answer_lost"}},
        {"operation": "charge", "calls": 2, "expect": True, "fault": {"kind": "status", "status": 503}},
    )
    with pytest.raises(httpx.ReadError):
        await http.post("/charges", json={"amount": 7})
    assert charges.made == [{"amount": 7}]
    told = [(await http.post("/charges", json={"amount": 8})).status_code for _ in range(2)]
    assert (told, len(charges.made)) == ([503, 200], 2)
    line = await http.get("/charges/2/lines/5", headers={"X-Sim-Time": "1000"})
    assert (line.json(), line.headers["X-Sim-Elapsed"]) == ({"line": "5"}, "5.0")
    assert (await http.get("/elsewhere")).status_code == 404
    ledger = await control.ledger("w")
    assert [(call["operation"], call["call"], call["status"]) for call in ledger] == [
        ("charge", 1, None),
        ("charge", 2, 503),
        ("charge", 3, 200),
        ("get", 1, 200),
    ]
    assert (ledger[2]["sent"], ledger[2]["answered"]) == ({"amount": 8}, {"number": 2, "state": "paid"})
    assert (await control.verdict())["verdict"] == "passed"


async def test_what_is_not_known_of_its_json_may_be_named_and_what_it_cannot_do_is_refused(
    payments: tuple[Charges, httpx.AsyncClient, AsyncControl],
) -> None:
    _, http, control = payments
    await control.add({"operation": "charge", "body": {"amount": 9}, "fault": {"kind": "null_field", "field": "state"}})
    told = [(await http.post("/charges", json={"amount": amount})).json()["state"] for amount in (8, 9)]
    assert told == ["paid", None]
    with pytest.raises(ControlError, match="it neither submits nor polls a job"):
        await control.add({"operation": "charge", "fault": {"kind": "job_stuck"}})
    with pytest.raises(ControlError, match="payments has no 'refund', only charge, get"):
        await control.add({"service": "payments", "operation": "refund", "fault": {"kind": "hang"}})


async def test_a_bug_is_a_500_that_names_the_fake_in_its_log_and_its_ledger(
    payments: tuple[Charges, httpx.AsyncClient, AsyncControl], caplog: pytest.LogCaptureFixture
) -> None:
    _, http, control = payments
    caplog.set_level(logging.ERROR, "fakes.kit.simulated")
    answer = await http.post("/charges", json={"amount": 0})
    bug = "ZeroDivisionError: the ledger's own mistake"
    assert answer.status_code == 500
    assert answer.json() == {"detail": f"a bug of the fake payments, in its log: {bug}"}
    (call,) = await control.ledger()
    assert (call["status"], call["bug"], call["fault"]) == (500, bug, None)
    (record,) = caplog.records
    assert "fake payments: a bug of its own in charge: ZeroDivisionError" in record.getMessage()
    assert record.exc_info is not None
    assert (await http.post("/charges", json={"amount": 1})).status_code == 200, "and it lives on"


async def test_what_an_application_refuses_is_no_bug(caplog: pytest.LogCaptureFixture) -> None:
    async def meant(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/raised":
            raise HTTPException(418, "short and stout", {"X-Pot": "tea"})
        await JSONResponse({"detail": "out of memory"}, 500)(scope, receive, send)

    operations = [Operation(name, "GET", f"/{name}") for name in ("raised", "answered")]
    fake = Simulated(meant, "pot", FakeSettings(sim_enabled=True), operations)
    async with serving(fake) as url, AsyncControl(url) as control, httpx.AsyncClient(base_url=url) as http:
        raised, answered = await http.get("/raised"), await http.get("/answered")
        assert (raised.status_code, raised.json(), raised.headers["x-pot"]) == (
            418,
            {"detail": "short and stout"},
            "tea",
        )
        assert (answered.status_code, answered.json()) == (500, {"detail": "out of memory"})
        assert [call["status"] for call in await control.ledger()] == [418, 500]
        assert not any("bug" in call for call in await control.ledger())
    assert not caplog.records


async def test_a_bug_of_a_fault_is_one_of_the_fake_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise KeyError("no such thing")

    monkeypatch.setattr("fakes.kit.faults.http.Garbage.act", broken)
    fake = Simulated(bare(Charges()), "payments", FakeSettings(sim_enabled=True), OPERATIONS)
    async with serving(fake) as url, AsyncControl(url) as control, httpx.AsyncClient(base_url=url) as http:
        await control.add({"fault": {"kind": "garbage"}})
        assert "a bug of the fake payments" in (await http.post("/charges", json={"amount": 1})).text
        assert (await control.ledger())[0]["bug"] == "KeyError: 'no such thing'"


async def test_an_application_that_cannot_start_says_why() -> None:
    @asynccontextmanager
    async def failing(_: Starlette) -> AsyncIterator[None]:
        raise ValueError("set PAYMENTS_KEY")
        yield

    fake = Simulated(Starlette(lifespan=failing), "payments", FakeSettings(sim_enabled=True), ())
    with pytest.raises(ValueError, match="set PAYMENTS_KEY"):
        async with serving(fake):
            pass


PLUGIN = '''
from typing import ClassVar, Literal
from fakes.kit.calls import Answer, Call
from fakes.kit.faults import CallFault, Part

class Strike(CallFault):
    """Nobody works here today."""

    kind: Literal["strike"]
    takes: ClassVar[frozenset[Part]] = frozenset({Part.WORK})

    async def act(self, call: Call) -> Answer:
        return Answer.of_json(503, {"detail": "on strike"})
'''
PROGRAM = """
import sys
from fakes.kit.rules import read_rules
(rule,) = read_rules({"fault": {"kind": "strike"}})
print(type(rule.fault).__module__, type(rule.fault).__doc__)
heavy = {"numpy", "PIL", "azure"} & set(sys.modules)
assert not heavy, f"the kit imports {heavy}"
"""


def test_a_package_that_is_installed_brings_its_own_kinds(tmp_path: Path) -> None:
    (tmp_path / "strikes.py").write_text(PLUGIN)
    told = tmp_path / "strikes-1.0.dist-info"
    told.mkdir()
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: strikes\nVersion: 1.0\n")
    (told / "entry_points.txt").write_text("[fakes.faults]\nstrikes = strikes\n")
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={"PYTHONPATH": str(tmp_path)},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout) == (0, "strikes Nobody works here today.\n"), ran.stderr


def test_the_kit_needs_no_pictures_and_no_store() -> None:
    program = (
        "import sys, fakes.kit.serve; print(*sorted({'numpy', 'PIL', 'azure', 'fakes.pictures'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout == "\n"
