"""Histories to waits: made up event by event, and real ones."""

from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory

from loadtests.measure.waits import TemporalError, connect, waits
from scenarios.processes.ports import reserve_port

RECORDED = Path(__file__).parents[2] / "app" / "pipeline" / "histories"
BEGAN: dict[str, Any] = {"workflowExecutionStartedEventAttributes": {}}
LAST: dict[str, Any] = {"workflowTaskCompletedEventAttributes": {}}
FIRST_TASK: dict[str, Any] = {"workflowTaskStartedEventAttributes": {}}


def history(*events: tuple[float, dict[str, Any]]) -> WorkflowHistory:
    """A history of (seconds, attributes); events are numbered from 1."""
    made = [
        ParseDict({"eventId": number, "eventTime": f"2026-01-01T00:00:{at:06.3f}Z", **attributes}, HistoryEvent())
        for number, (at, attributes) in enumerate(events, start=1)
    ]
    return WorkflowHistory("w", made)


def scheduled(name: str) -> dict[str, Any]:
    return {"activityTaskScheduledEventAttributes": {"activityType": {"name": name}}}


def started(of: int, attempt: int = 1) -> dict[str, Any]:
    return {"activityTaskStartedEventAttributes": {"scheduledEventId": of, "attempt": attempt}}


def ended(of: int, how: str = "Completed") -> dict[str, Any]:
    return {f"activityTask{how}EventAttributes": {"scheduledEventId": of}}


def test_the_queue_the_run_and_what_is_between_add_up() -> None:
    found = waits(
        history((0, BEGAN), (0.5, FIRST_TASK), (1, scheduled("a")), (3, started(3)), (7, ended(3)), (8, LAST))
    )
    assert dict(found.queued_for) == {"workflow": 0.5, "a": 2.0}
    assert dict(found.run_in) == {"a": 4.0}
    assert found.between == pytest.approx(1.5)
    assert not found.earlier_in


def test_earlier_attempts_and_their_pauses_are_no_queue() -> None:
    found = waits(history((0, BEGAN), (0, scheduled("a")), (9, started(2, attempt=3)), (10, ended(2))))
    assert dict(found.earlier_in) == {"a": 9.0}
    assert not found.queued_for
    assert (found.earlier, found.run, found.between) == (9.0, 1.0, 0.0)


@pytest.mark.parametrize("how", ["Failed", "TimedOut", "Canceled"])
def test_activities_that_ended_badly_ran_too(how: str) -> None:
    found = waits(history((0, BEGAN), (1, scheduled("a")), (2, started(2)), (5, ended(2, how)), (5, LAST)))
    assert dict(found.run_in) == {"a": 3.0}
    found = waits(history((0, BEGAN), (1, scheduled("a")), (4, ended(2, how)), (5, LAST)))
    assert dict(found.queued_for) == {"a": 3.0}


@pytest.mark.parametrize("name", ["completed", "failed", "cancelled"])
def test_real_histories_are_read_to_their_end(name: str) -> None:
    found = waits(WorkflowHistory.from_json(name, (RECORDED / f"{name}.json").read_text()))
    assert found.run_in.keys() >= {"upload_to_azure"}
    assert found.run > 0


async def test_a_temporal_that_does_not_answer_is_an_error_in_words() -> None:
    nobody = f"127.0.0.1:{reserve_port()}"
    with pytest.raises(TemporalError, match=f"Temporal at {nobody} does not answer"):
        await connect({"TEMPORAL_ADDRESS": nobody})


async def test_the_connection_is_what_the_sdk_s_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}

    async def spy(**words: Any) -> None:
        asked.update(words)

    monkeypatch.setattr("loadtests.measure.waits.Client.connect", spy)
    said = {"TEMPORAL_ADDRESS": "a:7233", "TEMPORAL_NAMESPACE": "shop.x1", "TEMPORAL_API_KEY": "k", "TEMPORAL_TLS": ""}
    await connect(said)
    assert (asked["target_host"], asked["namespace"], asked["api_key"]) == ("a:7233", "shop.x1", "k")
    assert asked["tls"]  # a key is never sent in the clear


async def test_a_wrong_configuration_is_an_error_in_words() -> None:
    with pytest.raises(TemporalError, match="cannot be used"):
        await connect({"TEMPORAL_CONFIG_FILE": "/nowhere/at/all.toml", "TEMPORAL_PROFILE": "prod"})
