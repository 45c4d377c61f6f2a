"""One try-on as the console's server tells it: its timeline, its trace, its metrics and its logs, joined by its id."""

import asyncio
import json
import re
import time
from typing import Any

import httpx
import pytest

from scenarios.console.command import example
from scenarios.stack.stack import Stack

LIMIT_S = 60.0


@pytest.fixture(scope="module")
def address(stack: Stack) -> str:
    return f"http://localhost:{stack.ports.console}"


@pytest.fixture(scope="module")
def workflow_id(stack: Stack, address: str) -> str:
    """A try-on whose resize is refused twice."""
    started = asyncio.run(example(address, ["resize-busy"]))
    answer = httpx.get(f"{stack.urls['gateway']}/workflow/{started}", params={"wait": 60}, timeout=70)
    assert answer.json()["status"] == "COMPLETED"
    return started


@pytest.fixture(scope="module")
def spans(address: str, workflow_id: str) -> list[dict[str, Any]]:
    """The trace, once the workflow's last span has arrived."""
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        answer = httpx.get(f"{address}/harness/traces/{workflow_id}")
        found: list[dict[str, Any]] = answer.json().get("spans", [])
        if any(span["name"].startswith("CompleteWorkflow") for span in found):
            return found
        time.sleep(0.2)  # between two looks, not for anything to happen
    pytest.fail(f"the trace is not there after {LIMIT_S:g} s: {answer.text[:500]}")


def test_the_timeline_has_each_attempt_and_the_waits_of_the_policy(address: str, workflow_id: str) -> None:
    story = httpx.get(f"{address}/harness/workflows/{workflow_id}").json()
    resizes = [attempt for attempt in story["attempts"] if attempt["activity"] == "resize_image"]
    assert [attempt["number"] for attempt in resizes] == [1, 2, 3]
    assert [attempt["outcome"] for attempt in resizes] == ["failed", "failed", "completed"]
    # The policy's, or more on a busy machine; an end and a beginning are seen by the calls of the attempts.
    assert resizes[0]["backoff"] >= 0.9
    assert resizes[1]["backoff"] >= 1.9
    assert resizes[2]["backoff"] is None
    assert story["status"] == "COMPLETED"
    assert story["drawing"].count('class="fault"') == 2 + 1  # and one in the legend


def test_one_trace_goes_from_the_request_to_each_call_of_each_attempt(spans: list[dict[str, Any]]) -> None:
    by_id = {span["span_id"]: span for span in spans}
    roots = [span for span in spans if span["parent_id"] not in by_id]
    assert [(root["service"], root["name"]) for root in roots] == [("tryon-gateway", "POST /workflow/start")]
    attempts = [span for span in spans if span["name"] == "RunActivity:resize_image"]
    assert [span["attributes"]["tryon.attempt"] for span in attempts] == [1, 2, 3]
    codes = [span["attributes"].get("tryon.code") for span in attempts]
    assert codes == ["IMAGE_MANIPULATOR_UNAVAILABLE", "IMAGE_MANIPULATOR_UNAVAILABLE", None]
    assert [span["failed"] for span in attempts] == [True, True, False]
    for attempt, status in zip(attempts, (503, 503, 200), strict=True):
        calls = [span for span in spans if span["parent_id"] == attempt["span_id"] and span["name"].startswith("POST")]
        assert [call["attributes"]["http.response.status_code"] for call in calls] == [status]


def test_the_trace_is_printed_as_a_tree(address: str, workflow_id: str, spans: list[dict[str, Any]]) -> None:
    tree = httpx.get(f"{address}/harness/traces/{workflow_id}").json()["tree"]
    assert len(tree.splitlines()) == 1 + len(spans)
    assert re.search(r"├─ RunActivity:resize_image ✕ .*attempt=2 code=IMAGE_MANIPULATOR_UNAVAILABLE", tree)


def test_the_logs_are_joined_by_the_ids_of_workflow_and_trace(
    stack: Stack, workflow_id: str, spans: list[dict[str, Any]]
) -> None:
    for process, event in (("worker", "attempt failed"), ("gateway", "request")):
        lines = [json.loads(line) for line in stack[process].log.read_text().splitlines() if workflow_id in line]
        logged = next(line for line in lines if line["event"] == event)
        assert logged["workflow_id"] == workflow_id
        assert logged["trace_id"] == spans[0]["trace_id"] or event == "request"
        assert re.fullmatch("[0-9a-f]{16}", logged["span_id"])


def test_attempts_are_counted_by_step_and_error_code(stack: Stack, workflow_id: str) -> None:
    port = stack.options.extra["worker"]["WORKER_METRICS_PORT"]
    metrics = httpx.get(f"http://127.0.0.1:{port}/metrics").text
    assert workflow_id not in metrics  # a label for each workflow would fill a server
    lines = [line for line in metrics.splitlines() if line.startswith("tryon_attempts")]
    failed = [line for line in lines if 'outcome="IMAGE_MANIPULATOR_UNAVAILABLE"' in line]
    assert len(failed) == 1
    assert 'step="resize_image"' in failed[0]
    assert int(failed[0].rpartition(" ")[2]) >= 2


def test_what_is_not_there_is_said(address: str) -> None:
    for path in ("traces/none", "workflows/none", "runs/none", "samples/none.jpg"):
        answer = httpx.get(f"{address}/harness/{path}")
        assert answer.status_code == 404, path
        assert "none" in answer.json()["message"]
    switched = httpx.put(f"{address}/harness/fakes/switches/none", json={"on": True})
    assert (switched.status_code, "there is no switch" in switched.text) == (404, True)
    assert httpx.post(f"{address}/v1/traces", content=b"no protobuf").status_code == 400


def test_the_page_is_served_by_the_name_that_the_gateway_lets_in(stack: Stack) -> None:
    answer = httpx.get(f"{stack.urls['console']}/?workflow=some")
    assert answer.status_code == 307
    assert answer.headers["location"] == f"http://localhost:{stack.ports.console}/?workflow=some"
