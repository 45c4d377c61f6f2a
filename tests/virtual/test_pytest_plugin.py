"""The pytest plugin, as somebody else's suite uses it: in a process of its own, with nothing of this project around."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = """
import pytest
from orders import Order, charge

@pytest.fixture
def virtual_worker():
    return {"task_queue": "q", "workflows": [Order], "activities": [charge]}
"""
ORDERS = """
import asyncio
from datetime import timedelta
from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError

@activity.defn
async def charge() -> str:
    if activity.info().attempt < 3:
        raise ApplicationError("no")
    await asyncio.sleep(30)
    return "charged"

@workflow.defn
class Order:
    @workflow.run
    async def run(self) -> str:
        policy = RetryPolicy(initial_interval=timedelta(seconds=2))
        return await workflow.execute_activity(
            charge, start_to_close_timeout=timedelta(seconds=60), retry_policy=policy
        )
"""
TEST = """
import pytest
from orders import Order
from scenarios.virtual import VirtualTime

async def test_retries(virtual: VirtualTime) -> None:
    assert await virtual.client.execute_workflow(Order.run, id="order-1", task_queue="q") == "charged"
    assert [each.began for each in virtual.story("order-1").attempts("charge")] == [0, 2, 6]

class TestClass:
    @pytest.mark.parametrize("number", [1, 2])
    async def test_method(self, number: int, virtual: VirtualTime) -> None:
        await virtual.client.execute_workflow(Order.run, id=f"method-{number}", task_queue="q")
        assert virtual.story(f"method-{number}").now == 36

def test_plain(virtual: VirtualTime) -> None:
    run = virtual.client.execute_workflow(Order.run, id="plain", task_queue="q")
    assert virtual.loop.run_until_complete(run) == "charged"
"""


def _suite(folder: Path) -> Path:
    sub = folder / "suite" / "deep"
    sub.mkdir(parents=True)
    (folder / "suite" / "orders.py").write_text(ORDERS)
    (folder / "suite" / "conftest.py").write_text(CONFTEST)
    (sub / "test_order.py").write_text(TEST)
    return folder / "suite"


def _run(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    environment["PYTHONPATH"] = str(folder)
    return subprocess.run(
        [sys.executable, *words], cwd=folder, env=environment, text=True, capture_output=True, timeout=120, check=False
    )


AGAIN = pytest.mark.long("a server and a suite of its own for one more mode of pytest-asyncio")


@pytest.mark.parametrize(
    "mode",
    [
        pytest.param(("-p", "no:asyncio"), marks=AGAIN),
        ("-o", "asyncio_mode=auto"),
        pytest.param(("-o", "asyncio_mode=strict"), marks=AGAIN),
    ],
)
def test_a_suite_in_a_folder_of_its_own(tmp_path: Path, mode: tuple[str, ...]) -> None:
    done = _run(_suite(tmp_path), "-m", "pytest", "-q", *mode)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout


@pytest.mark.long("one more suite, watched for its lines")
def test_coverage_sees_the_suite_and_a_failure_fails_it(tmp_path: Path) -> None:
    folder = _suite(tmp_path)
    test = folder / "deep" / "test_order.py"
    test.write_text(test.read_text().replace("[0, 2, 6]", "[0, 2, 7]"))
    done = _run(folder, "-m", "coverage", "run", "-m", "pytest", "-q", "deep")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 failed, 3 passed" in done.stdout
    report = _run(folder, "-m", "coverage", "report", "--include=orders.py")
    assert "orders.py" in report.stdout, report.stdout + report.stderr


def test_a_suite_that_does_not_name_its_worker_is_told_so(tmp_path: Path) -> None:
    folder = _suite(tmp_path)
    (folder / "conftest.py").write_text("")
    done = _run(folder, "-m", "pytest", "-q")
    assert done.returncode == 1
    assert "define a fixture `virtual_worker`" in done.stdout
