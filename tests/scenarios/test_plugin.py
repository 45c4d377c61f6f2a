"""A user's own suite, as the README shows it: it runs, it fails with a story, its options work. In its own process."""

import os
import re
import subprocess
import sys
from hashlib import blake2b
from pathlib import Path

import pytest

from app.names import workflow_id_for

ROOT = Path(__file__).resolve().parents[2]
OWN_CONFTEST = 'pytest_plugins = ["scenarios.plugin"]\n'
EXAMPLE = re.search(r"```python\n(from scenarios.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
WRONG = """

def test_that_is_wrong_about_the_code(run_scenario, rules):
    rules.add("sam3", "submit", "job_failed")
    run_scenario(expect=failed("SAM3_TIMEOUT", "GENERATING_MASK"))
"""


TWO_OF_ONE_NAME = """
import dataclasses

import pytest

from scenarios.scenario import Expect, Scenario, failed, rule

QUIET = Scenario(name="same", story="All is well.", theme="own", expect=Expect())
BUSY = dataclasses.replace(
    QUIET, rules=(rule("sam3", "submit", "status", status=503),), expect=failed("SAM3_UNAVAILABLE", "GENERATING_MASK")
)


@pytest.mark.parametrize("scenario", [QUIET, BUSY], ids=["quiet", "busy"])
def test_as_it_is(scenario, run_scenario):
    first, second = run_scenario(scenario), run_scenario(scenario)
    assert first is not second and first.workflow_id != second.workflow_id
    assert first.ledger() == second.ledger()
    assert bool(first.rules) == (scenario is BUSY)


@pytest.mark.parametrize("scenario", [QUIET])
def test_with_a_wrong_expectation(scenario, run_scenario):
    run_scenario(dataclasses.replace(scenario, expect=BUSY.expect))


@pytest.mark.parametrize("scenario", [QUIET])
def test_with_a_wrong_field(scenario, run_scenario):
    run_scenario(scenario, expect=BUSY.expect)


def test_by_itself(run_scenario):
    print("ran as", run_scenario(QUIET).workflow_id)
"""

SPREAD = """
import httpx
import pytest

from scenarios.scenario import Expect


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_spread(run_scenario, number):
    run_scenario(name=f"spread-{number}", expect=Expect())


def test_late(run_scenario, simulation):
    run = run_scenario(name="late", expect=Expect())
    sam3 = simulation.services["sam3"]
    httpx.get(f"{sam3}/jobs/none", headers={"X-Workflow-Id": run.workflow_id}, trust_env=False)
"""


def pytest_in(folder: Path, suite: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a suite that is not this project's."""
    (folder / "test_mine.py").write_text(suite)
    (folder / "conftest.py").write_text(OWN_CONFTEST)
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_mine.py", *words]
    return subprocess.run(
        command,
        cwd=folder,
        env={**ours, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """What pytest says of the README's example and the suites above, and the page that it draws."""
    assert EXAMPLE
    folder = tmp_path_factory.mktemp("suite")
    suite = "from scenarios.scenario import failed\n" + EXAMPLE[1] + WRONG + TWO_OF_ONE_NAME
    ended = pytest_in(folder, suite, "-s", "--timeline", "out.html")
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "3 failed, 4 passed" in ended.stdout, ended.stdout + ended.stderr
    return ended.stdout, (folder / "out.html").read_text()


def test_a_suite_of_ones_own(told: tuple[str, str]) -> None:
    said, page = told
    assert "✗ code: expected SAM3_TIMEOUT, seen SAM3_JOB_FAILED" in said
    assert "generate_mask attempt 3" in said
    assert re.search(r"run it again: pytest '.*test_that_is_wrong_about_the_code' --scenario-seed 1", said)
    assert "test-that-is-wrong-about-the-code" in page


def test_each_run_is_its_own_and_held_to_what_the_test_says(told: tuple[str, str]) -> None:
    said, _ = told
    assert re.findall(r"^FAILED (\S+)", said, re.MULTILINE) == [
        "test_mine.py::test_that_is_wrong_about_the_code",
        "test_mine.py::test_with_a_wrong_expectation[scenario0]",
        "test_mine.py::test_with_a_wrong_field[scenario0]",
    ]
    # Its id, and so its chance, is that of the test run alone, though four runs of the same name came before it.
    own = blake2b(b"test_mine.py::test_by_itself", digest_size=4).hexdigest()
    assert f"ran as {workflow_id_for(f'1:same:1:{own}')}" in said


@pytest.mark.long("two worlds more")
def test_side_by_side_one_page_is_drawn_and_late_calls_are_told(tmp_path: Path) -> None:
    ended = pytest_in(tmp_path, SPREAD, "-n", "2", "--timeline", "out.html")
    told = ended.stdout
    assert "5 passed, 1 error" in told, told + ended.stderr
    assert re.search(r"no call after the end: 1 came later for 1:late:1:\w+", told)
    page = (tmp_path / "out.html").read_text()
    assert re.findall(r'<article class="card" id="([^"]+)"', page) == ["late", *(f"spread-{n}" for n in range(1, 5))]
    assert "5 scenarios, 10 virtual seconds, all passed" in page
