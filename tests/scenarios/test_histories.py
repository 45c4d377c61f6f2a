"""The reader of Temporal's histories on real ones, recorded from the application."""

from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory

from scenarios.histories import activities, length, status

RECORDED = Path(__file__).parents[1] / "app" / "pipeline" / "histories"


def history(name: str) -> WorkflowHistory:
    return WorkflowHistory.from_json(name, (RECORDED / f"{name}.json").read_text())


@pytest.mark.parametrize(
    ("name", "ends"), [("completed", "COMPLETED"), ("failed", "FAILED"), ("cancelled", "CANCELLED")]
)
def test_how_a_workflow_stands(name: str, ends: str) -> None:
    events = history(name).events
    assert status(events) == ends
    assert status(events[:-1]) == "RUNNING"


def test_each_activity_with_what_it_was_given_and_made() -> None:
    read = history("completed-with-strokes")
    found = activities(read.events)
    assert [activity.name for activity in found][:3] == ["upload_to_azure", "resize_image", "check_zoom"]
    assert {activity.outcome for activity in found} == {"completed"}
    for activity in found:
        assert activity.given
        assert activity.made
        assert activity.began is not None
        assert activity.ended is not None
        assert activity.scheduled <= activity.began <= activity.ended
    assert length(read) >= sum((activity.ended or 0) - activity.scheduled for activity in found)


def test_an_activity_that_failed_says_how() -> None:
    last = activities(history("failed").events)[-1]
    assert last.outcome == "failed"
    assert last.failure.endswith("Error")
    assert last.message


def test_a_history_that_is_cut_off_has_what_runs() -> None:
    events = history("completed").events
    for cut in range(1, len(events)):
        for activity in activities(events[:cut]):
            assert (activity.ended is None) == (activity.outcome == "running")
