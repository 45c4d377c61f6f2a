"""docs/fakes.md says what the code does."""

import re
import sys
import types
from pathlib import Path
from uuid import uuid4

import pytest
import yaml

from fakes import a100, birefnet, image_manipulator, pictures, sam3
from fakes.kit.faults import FAULTS
from fakes.kit.profiles import read_profile
from fakes.kit.rules import read_rules
from fakes.kit.settings import FakeSettings
from fakes.storage import blob_proxy
from fakes.storage.store import open_store
from fakes.tools.reference import fill
from tests.fakes.conftest import Opened

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "fakes.md").read_text(encoding="utf-8")
SERVICES = {
    module.__name__.removeprefix("fakes."): module for module in (image_manipulator, birefnet, sam3, a100, blob_proxy)
}


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def test_the_tables_are_those_of_the_code() -> None:
    assert fill(PAGE) == PAGE, "run: python -m fakes.tools.reference docs/fakes.md"


def test_the_services_ports_and_operations() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `python -m fakes\.([\w.]+) --port (\d+)` \| (.*) \|$", PAGE, re.MULTILINE)
    told = {module: (name, int(port), re.findall(r"`(\w+)`", names)) for name, module, port, names in rows}
    assert told == {
        name: ((app := module.create_app(FakeSettings())).service, module.PORT, list(app.operations))
        for name, module in SERVICES.items()
    }


def test_the_rules_and_the_profile_shown_are_valid() -> None:
    rules, profile = map(yaml.safe_load, blocks("yaml"))
    assert [rule.id for rule in read_rules(rules)] == ["busy", "flaky", "outage"]
    assert read_profile(profile, "a100").capacity


@pytest.mark.parametrize("kind", FAULTS)
def test_every_kind_has_a_test_that_sees_it(kind: str) -> None:
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests/fakes/kit").glob("test_*_faults.py"))
    assert f'"{kind}"' in tests


async def test_your_own_fake(settings: FakeSettings, opened: Opened) -> None:
    source = next(block for block in blocks("python") if "The fake counter" in block)
    assert len(source.splitlines()) < 60
    module = types.ModuleType("own_fake")
    sys.modules["own_fake"] = module  # where pydantic looks its annotations up
    exec(compile(source, "docs/fakes.md", "exec"), module.__dict__)
    key = str(uuid4())
    async with open_store(settings) as store:
        uri = await store.put(f"azure://jewelry-uploads/{key}.jpg", pictures.portrait(64, 64, seed=1))
    async with opened(module.create_app(settings)) as client:
        client.headers["X-Workflow-Id"] = key
        assert (await client.get("/ready")).json() == {"ready": True}
        stuck = {"operation": "poll", "calls": 1, "expect": True, "fault": {"kind": "job_stuck"}}
        assert (await client.post("/__sim/rules", json=stuck)).status_code == 201
        job_id = (await client.post("/jobs", json={"image_uri": uri})).json()["job_id"]
        told = [(await client.get(f"/jobs/{job_id}")).json() for _ in range(2)]
        assert told == [
            {"status": "processing"},
            {"status": "completed", "count_uri": f"azure://jewelry-uploads/{key}-count.txt"},
        ]
        assert (await client.get("/__sim/verdict")).json()["verdict"] == "passed"
