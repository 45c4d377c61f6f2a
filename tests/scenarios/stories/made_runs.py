"""A run that is in order, made by hand, for tests that break it in one place."""

import base64
import dataclasses
from collections.abc import Callable
from functools import cache
from io import BytesIO
from typing import Any

from PIL import Image

from fakes.kit.digests import digest
from scenarios.scenario import Expect, Scenario, rule
from scenarios.stories.drawn import photo_bytes
from scenarios.stories.run import Run, SeenCall
from scenarios.stories.timelines import Timeline
from scenarios.virtual import Attempt

METRICS = {"precision": 1.0, "recall": 1.0, "iou": 1.0, "growthRatio": 1.0}


def generated() -> dict[str, Any]:
    """Return an answer of the A100: pictures that differ from each other, as Flux and Gemini differ."""
    metrics = {"precision": 1.0, "recall": 1, "iou": 1.0, "growth_ratio": 1.0}
    return {
        "result_base64": result_picture(),
        "result_gemini_base64": result_picture(note=b"gemini"),
        "fidelity_viz_base64": result_picture(note=b"fidelity"),
        "fidelity_viz_gemini_base64": None,
        "metrics": metrics,
        "metrics_gemini": {**metrics, "iou": 0.5},
    }


@cache
def result_picture(note: bytes = b"", made: Callable[[Image.Image], Image.Image] = Image.Image.copy) -> str:
    """The photo near as a result: what is made of it, with what stands behind its end."""
    with Image.open(BytesIO(photo_bytes("near"))) as photo:
        out = BytesIO()
        made(photo).save(out, "JPEG")
    return base64.b64encode(out.getvalue() + note).decode()


def call(service: str = "sam3", operation: str = "poll", **parts: Any) -> SeenCall:
    usual: dict[str, Any] = {
        "number": 1,
        "attempt": 1,
        "at": 0.0,
        "rule": None,
        "fault": None,
        "status": 200,
        "duration_s": None,
    }
    return SeenCall(service, operation, **(usual | parts))


def completed(**expect: Any) -> Run:
    """A completed try-on: a mask that took two attempts, the first refused by a rule."""
    busy = rule("sam3", "submit", "status", calls="1", status=503)
    scenario = Scenario(name="made", story="Made by hand.", theme="tests", rules=(busy,), expect=Expect(**expect))
    timeline = Timeline("made-id", began=1_800_000_000.0, now=1_800_000_004.0)
    timeline.attempts = [
        Attempt("upload_to_azure", 1, 0.0, 0.0, "completed"),
        Attempt("generate_mask", 1, 0.0, 0.0, "Sam3UnavailableError", "SAM3 answered with status 503", backoff=2.0),
        Attempt("generate_mask", 2, 2.0, 4.0, "completed"),
        Attempt("generate_images", 1, 4.0, 4.0, "completed"),
    ]
    run = Run(scenario, "1:made:1", "made-id", timeline, rules={"made-id.0": busy})
    run.status = "COMPLETED"
    run.start_answer = (202, {"workflowId": "made-id", "status": "RUNNING"})
    run.samples = [(5, "UPLOADING_IMAGE"), (45, "GENERATING_MASK")]
    picture = result_picture()
    run.answer = {
        "workflowId": "made-id",
        "status": "COMPLETED",
        "result": {
            "fluxResultBase64": picture,
            "geminiResultBase64": result_picture(note=b"gemini"),
            "fluxMetrics": METRICS,
            "geminiMetrics": {**METRICS, "iou": 0.5},
            "fluxFidelityVizBase64": result_picture(note=b"fidelity"),
            "geminiFidelityVizBase64": None,
        },
    }
    run.output = {"background_removed": False}
    points = scenario.mask_points()
    asked = {"points": [[point["x"], point["y"]] for point in points], "labels": [point["label"] for point in points]}
    run.calls = [
        call(operation="submit", rule="made-id.0", fault="status", status=503),
        call(operation="submit", number=2, attempt=2, at=2.0, sent=digest({"image_uri": "azure://c/w.jpg", **asked})),
        call(at=4.0, attempt=2),
        call("a100", "health", at=4.0),
        call("a100", "generate", at=4.0, answered=digest(generated())),
    ]
    return run


def failed(code: str = "SAM3_TIMEOUT", step: str = "GENERATING_MASK") -> Run:
    run = completed(status="FAILED", code=code, failed_step=step)
    run.status, run.output = "FAILED", None
    run.timeline.attempts = [attempt for attempt in run.timeline.attempts if attempt.activity != "generate_images"]
    error = {"code": code, "message": "SAM3 did not answer in time", "failedStep": step}
    run.answer = {"workflowId": "made-id", "status": "FAILED", "error": error}
    return run


def with_call(run: Run, place: int, **changes: Any) -> None:
    run.calls[place] = dataclasses.replace(run.calls[place], **changes)
