"""docs/fakes.md says what the code does."""

import re
import sys
import types
from pathlib import Path

import pytest
import yaml
from starlette.types import Receive, Scope, Send

from fakes.faults import kinds
from fakes.kit.calls import Operation
from fakes.kit.rules import read_rules
from fakes.kit.settings import FakeSettings
from fakes.kit.simulated import Simulated
from fakes.profiles import read_profile
from fakes.registry import BLOB, SERVICES
from fakes.tools.reference import fill
from tests.fakes.conftest import Opened

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "fakes.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def test_the_tables_are_those_of_the_code() -> None:
    assert fill(PAGE) == PAGE, "run: python -m fakes.tools.reference docs/fakes.md"


def test_the_services_ports_and_operations() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `python -m fakes\.([\w.]+) --port (\d+)` \| (.*) \|$", PAGE, re.MULTILINE)
    told = {module: (name, int(port), re.findall(r"`(\w+)`", names)) for name, module, port, names in rows}
    assert told == {
        service.module.removeprefix("fakes."): (
            service.name,
            service.port,
            [operation.name for operation in service.operations],
        )
        for service in (*SERVICES.values(), BLOB)
    }


def test_the_rules_and_the_profile_shown_are_valid() -> None:
    rules, profile = map(yaml.safe_load, blocks("yaml"))
    assert [rule.id for rule in read_rules(rules)] == ["busy", "flaky", "outage"]
    assert read_profile(profile, "a100").capacity


@pytest.mark.parametrize("kind", kinds())
def test_every_kind_has_a_test_that_sees_it(kind: str) -> None:
    places = [*(ROOT / "tests/fakes/kit").glob("test_*_faults.py"), ROOT / "tests/fakes/storage/test_blob_proxy.py"]
    tests = "".join(path.read_text(encoding="utf-8") for path in places)
    assert f'"{kind}"' in tests


def module_of(source: str) -> types.ModuleType:
    module = types.ModuleType("own_fake")
    sys.modules["own_fake"] = module  # where pydantic looks its annotations up
    exec(compile(source, "docs/fakes.md", "exec"), module.__dict__)
    return module


async def test_your_own_fake(opened: Opened) -> None:
    source = next(block for block in blocks("python") if "The fake counter" in block)
    assert len(source.splitlines()) < 70
    create_app = module_of(source).create_app
    async with opened(create_app(FakeSettings(sim_enabled=True))) as client:
        client.headers["X-Workflow-Id"] = "w"
        stuck = {"operation": "poll", "calls": 1, "expect": True, "fault": {"kind": "job_stuck"}}
        assert (await client.post("/__sim/rules", json=stuck)).status_code == 201
        job_id = (await client.post("/jobs", json={"text": "three short words"})).json()["job_id"]
        told = [(await client.get(f"/jobs/{job_id}")).json() for _ in range(2)]
        assert told == [{"status": "processing", "words": None}, {"status": "completed", "words": "3"}]
        assert (await client.get("/__sim/verdict")).json()["verdict"] == "passed"
        wrong = {"operation": "poll", "fault": {"kind": "null_field", "field": "word"}}
        refused = (await client.post("/__sim/rules", json=wrong)).json()["detail"]
        assert refused[0]["message"] == "poll: its answer has no field 'word' (it has status, words)"


async def test_a_kind_of_fault_of_your_own(opened: Opened) -> None:
    source = next(block for block in blocks("python") if "class Teapot" in block)
    imports = "from typing import *\nfrom fakes.kit.calls import *\nfrom fakes.kit.faults import *\n"
    module_of(imports + source)
    try:
        fake = Simulated(_nobody, "pot", FakeSettings(sim_enabled=True), [Operation("brew", "GET", "/brew")])
        async with opened(fake) as client:
            await client.post("/__sim/rules", json={"fault": {"kind": "teapot", "seconds": 3}})
            answer = await client.get("/brew", headers={"X-Sim-Time": "1000"})
            assert (answer.status_code, answer.headers["X-Sim-Elapsed"]) == (418, "3.0")
    finally:
        del kinds()["teapot"]


async def _nobody(scope: Scope, _: Receive, __: Send) -> None:
    assert scope["type"] == "lifespan"
    raise AssertionError("the fault answers")
