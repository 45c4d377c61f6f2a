"""Invariants on what the calls carry: the user's marks on their way out, the A100's pictures on their way back."""

import json
from collections.abc import Iterator
from typing import Any

from temporalio.api.history.v1 import WorkflowExecutionStartedEventAttributes

from fakes.kit.digests import digest
from scenarios.scenario import Scenario
from scenarios.stories.notes import NOTE
from scenarios.stories.run import Run

MADE_AS = {
    "fluxResultBase64": "result_base64",
    "geminiResultBase64": "result_gemini_base64",
    "fluxFidelityVizBase64": "fidelity_viz_base64",
    "geminiFidelityVizBase64": "fidelity_viz_gemini_base64",
    "fluxMetrics": "metrics",
    "geminiMetrics": "metrics_gemini",
}
"""The fields of a try-on's result, and those of the A100's answer that they come from (specification)."""
METRICS_AS = {"growthRatio": "growth_ratio"}
MAX_DIMENSION = 1536
"""Pixels of the longer side (specification, Temporal Workflow, step 2)."""
FLOAT_NOISE = 1.001e-6
"""By how much a metric may differ from what the A100 said (docs/exploring.md), and the last bit of it."""
GENERATE = {"a100.generate", "a100_spare.generate"}
REFINE = {"a100.refine_mask", "a100_spare.refine_mask"}


def what_is_sent_is_what_the_user_said(run: Run) -> Iterator[str]:
    """Every point with its label reaches SAM3, every stroke the A100: each in its order, and none else."""
    for call in run.calls:
        if call.sent is None:
            continue
        for field, value in _marks(run.scenario, call.name).items():
            if call.sent.get(field) != digest(value):
                yield f"{call.name} call {call.number} got other {field}: {call.sent.get(field)}, not {digest(value)}"
        if call.name == "image_manipulator.resize" and not _is_the_photo(call.sent.get("image_uri"), run.workflow_id):
            yield f"{call.name} call {call.number} got {call.sent.get('image_uri')}, which is not this try-on's photo"


def _is_the_photo(uri: Any, workflow_id: str) -> bool:
    """Say whether a URI is that of the photo of this try-on: upright, under the workflow's id (docs/operations.md)."""
    return isinstance(uri, str) and uri.startswith("azure://") and uri.endswith(f"/{workflow_id}.jpg")


def _marks(scenario: Scenario, name: str) -> dict[str, Any]:
    """Return what a call of this name has to carry of what the user drew."""
    if name == "sam3.submit":
        points = scenario.body.get("maskPoints", scenario.mask_points())
        return {
            "points": [[point["x"], point["y"]] for point in points],
            "labels": [point["label"] for point in points],
        }
    if name == "image_manipulator.resize":
        return {"max_dimension": MAX_DIMENSION}
    if name in REFINE:
        strokes = scenario.body.get("brushStrokes", scenario.strokes)
        return {
            "strokes": [
                {**stroke, "points": [[point["x"], point["y"]] for point in stroke["points"]]} for stroke in strokes
            ]
        }
    return {}


def what_does_not_show_is_kept_nowhere(run: Run) -> Iterator[str]:
    """Of a photo with words beside its picture the store keeps both of its blobs, and the words in neither."""
    for name, data in run.kept.items():
        if data is None:
            if run.status == "COMPLETED":
                yield f"the store does not keep {name}"
        elif NOTE in data:
            yield f"{name} in the store holds the words that stand beside the picture"


def what_comes_back_is_what_the_a100_made(run: Run) -> Iterator[str]:
    """Each picture and metric of a completed try-on is the one in the last answer to a generate; a broken one is not.

    Base64 may have been in any dress, and metrics differ by less than a millionth: 32-bit floats do.
    """
    made = [call for call in run.calls if call.name in GENERATE]
    # Calls of two servers at one instant have no order; the one that the try-on went on with was answered.
    last = max(reversed(made), key=lambda call: (call.attempt or 0, call.at, call.status == 200), default=None)
    if run.status != "COMPLETED" or last is None or last.answered is None:
        return
    faults = [run.rules[rule].fault for rule in last.rules if rule in run.rules]
    broken = {fault["field"] for fault in faults if fault["kind"] == "result_broken"}
    answered = {name: value for name, value in last.answered.items() if name not in broken}
    result = run.answer.get("result", {})
    if answered.get("result_gemini_base64") is None:  # what is said of a picture that is not there is left out
        answered = {name: value for name, value in answered.items() if "gemini" not in name}
    for field, source in MADE_AS.items():
        if not _alike(result.get(field), answered.get(source)):
            yield f"{field} is not the {source} that the A100 answered"


def _alike(value: Any, answered: Any) -> bool:
    """Say whether a part of a result is the part of an answer that the ledger has a digest of."""
    if isinstance(value, dict) and isinstance(answered, dict):
        metrics = {METRICS_AS.get(name, name): number for name, number in value.items()}
        return metrics.keys() == answered.keys() and all(
            abs(number - answered[name]) <= FLOAT_NOISE for name, number in metrics.items()
        )
    if isinstance(value, str):
        return answered in [digest(dress) for dress in _dresses(value)]
    return value is None and answered is None


def _dresses(picture: str) -> Iterator[str]:
    """Yield base64 in each way in which services write it (docs/fakes.md, base64_dress)."""
    yield picture
    yield f"data:image/jpeg;base64,{picture}"
    yield "\n".join(picture[place : place + 76] for place in range(0, len(picture), 76)) + "\n"
    yield picture.translate(str.maketrans("+/", "-_"))
    yield picture.rstrip("=")


def the_workflow_keeps_what_the_user_sent(run: Run) -> Iterator[str]:
    """It begins with this try-on's own photo, points and strokes; its memo has the session (docs/api.md)."""
    begun = _begun(run)
    if begun is None:
        return
    given = json.loads(begun.input.payloads[0].data)
    if not str(given.get("image")).endswith(f"/staging/{run.workflow_id}"):
        yield f"it began with {given.get('image')}"
    wanted = _as_sent(run.scenario)
    for field, value in wanted.items():
        if digest(given.get(field)) != digest(value):
            yield f"it began with other {field}: {given.get(field)}, not {value}"
    memo = {name: json.loads(payload.data) for name, payload in begun.memo.fields.items()}
    if memo.get("sessionId") != (wanted["session_id"] or None):
        yield f"its memo has the session {memo.get('sessionId')!r}, not {wanted['session_id']!r}"


def _begun(run: Run) -> WorkflowExecutionStartedEventAttributes | None:
    if run.history is None or not run.history.events:
        return None
    first = run.history.events[0]
    return (
        first.workflow_execution_started_event_attributes
        if first.HasField("workflow_execution_started_event_attributes")
        else None
    )


def _as_sent(scenario: Scenario) -> dict[str, Any]:
    strokes = scenario.body.get("brushStrokes", scenario.strokes) or ()
    return {
        "mask_points": list(scenario.body.get("maskPoints", scenario.mask_points())),
        "brush_strokes": [
            {**stroke, "points": [[point["x"], point["y"]] for point in stroke["points"]]} for stroke in strokes
        ],
        "session_id": scenario.body.get("sessionId"),
    }


def the_history_says_why_it_failed(run: Run) -> Iterator[str]:
    """The failure of a workflow has the code and the words that the user is told, and for its cause the failed step."""
    last = run.history.events[-1] if run.history and run.history.events else None
    if run.status != "FAILED" or last is None or not last.HasField("workflow_execution_failed_event_attributes"):
        return
    failure = last.workflow_execution_failed_event_attributes.failure
    said = (failure.application_failure_info.type, failure.message)
    if said != (told := (run.error.get("code"), run.error.get("message"))):
        yield f"it has {said}, and the user was told {told}"
    failed = failure.cause.activity_failure_info.activity_type.name
    names = [attempt.activity for attempt in run.timeline.attempts]  # none in real time
    if failed and names and failed != names[-1]:
        yield f"its cause is {failed}, and {names[-1]} was the last activity"
    if failed and not failure.cause.cause.message:
        yield f"it does not say what became of {failed}"
