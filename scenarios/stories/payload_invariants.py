"""Invariants on what the calls carry: the user's marks on their way out, the A100's pictures on their way back."""

from collections.abc import Iterator
from typing import Any

from fakes.kit.digests import digest
from scenarios.scenario import Scenario
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
FLOAT_NOISE = 1.001e-6
"""By how much a metric may differ from what the A100 said (docs/reliability.md), and the last bit of it."""
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


def _marks(scenario: Scenario, name: str) -> dict[str, Any]:
    """Return what a call of this name has to carry of what the user drew."""
    if name == "sam3.submit":
        points = scenario.body.get("maskPoints", scenario.mask_points())
        return {
            "points": [[point["x"], point["y"]] for point in points],
            "labels": [point["label"] for point in points],
        }
    if name in REFINE:
        strokes = scenario.body.get("brushStrokes", scenario.strokes)
        return {
            "strokes": [
                {**stroke, "points": [[point["x"], point["y"]] for point in stroke["points"]]} for stroke in strokes
            ]
        }
    return {}


def what_comes_back_is_what_the_a100_made(run: Run) -> Iterator[str]:
    """Each picture and metric of a completed try-on is the one in the last answer to a generate.

    Base64 may have been in any dress, and metrics differ by less than a millionth: 32-bit floats do.
    """
    made = [call.answered for call in run.calls if call.name in GENERATE]
    if run.status != "COMPLETED" or not made or made[-1] is None:
        return
    answered, result = made[-1], run.answer.get("result", {})
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
