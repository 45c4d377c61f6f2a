"""An application that is no try-on, explored: nothing is found in it, and a bug that needs two faults is."""

import asyncio
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from scenarios.explore.explorer import Explorer
from tests.virtual.foreign import polling
from tests.virtual.foreign.conftest import World
from tests.virtual.foreign.exploring import Month, Months

pytestmark = pytest.mark.long("two explorations")

PLANS = 70
MOST = 300


def explorer(runner: asyncio.Runner, world: World, application: ModuleType) -> Explorer[Month]:
    return Explorer(Months(runner, world, application.make_report), seed=1)


def with_a_bug(folder: Path) -> ModuleType:
    """Return the application with a bug: its third attempt does not look at the ticket that it was left."""
    code = Path(str(polling.__file__)).read_text()
    assert "if details:" in code
    path = folder / "polling_with_a_bug.py"
    path.write_text(code.replace("if details:", "if details and activity.info().attempt < 3:"))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_nothing_is_found_in_the_application_as_it_is(runner: asyncio.Runner, world: World) -> None:
    found = explorer(runner, world, polling).explore(most=PLANS)
    assert [finding.shrunk.seen.problems for finding in found.findings] == []
    assert found.plans == PLANS
    assert max(len(plan.trouble) for plan, _ in found.verdicts) >= 2
    assert found.inconclusive < PLANS // 4, "of those that are drawn, some have trouble at calls that nobody makes"
    assert ("calls", "ask", "5", "ok") in found.coverage.reached


def test_a_bug_that_needs_two_faults_is_found_and_made_small(
    runner: asyncio.Runner, world: World, tmp_path: Path
) -> None:
    exploring = explorer(runner, world, with_a_bug(tmp_path))
    exploring.explore(most=MOST, over=lambda: bool(exploring.explored.findings))
    (finding,) = exploring.explored.findings
    assert finding.cause == "ordered twice"
    assert len(finding.shrunk.plan.trouble) == 2
    assert {kind for _, kind in finding.shrunk.plan.trouble} < {"lost", "busy", "garbage"}
    assert [how for how in finding.shrunk.passes if how.startswith("without")], "one of the two faults is not enough"
