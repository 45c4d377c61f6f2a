"""The scripts: what happens to a try-on, by name. Stories first, then one for each error that there is."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from functools import cache

from fakes.gateway.document import OPERATIONS, problems

STEPS = (
    ("UPLOADING_IMAGE", 5, 0.4),
    ("RESIZING_IMAGE", 15, 0.6),
    ("CHECKING_ZOOM", 20, 0.3),
    ("REMOVING_BACKGROUND", 30, 1.2),
    ("GENERATING_MASK", 45, 1.5),
    ("REFINING_MASK", 55, 1.0),
    ("GENERATING_IMAGES", 70, 2.5),
)
"""Each step's name, its progress, and the seconds that it takes."""

PASSING = {408, 429, 503}
"""Errors with these statuses pass: the first requests get them, and then all is well."""

TIMES = 2
"""How many requests get an error that passes."""

_AT_THE_END = {"RESULT_GONE", "WORKFLOW_FINISHED"}
"""Errors of a try-on that is COMPLETED."""

FAILURES = {
    "INVALID_IMAGE": ("UPLOADING_IMAGE", "The picture ends in the middle"),
    "AZURE_BAD_ANSWER": ("REMOVING_BACKGROUND", "The picture storage holds something else than was put there"),
    "AZURE_NOT_FOUND": ("GENERATING_IMAGES", "A picture that must exist is not there"),
    "AZURE_REJECTED": ("UPLOADING_IMAGE", "The picture storage refused the backend"),
    "AZURE_TIMEOUT": ("UPLOADING_IMAGE", "The picture storage did not answer in time"),
    "AZURE_UNAVAILABLE": ("UPLOADING_IMAGE", "The picture storage does not answer"),
    "IMAGE_MANIPULATOR_BAD_ANSWER": ("RESIZING_IMAGE", "The image manipulator's answer cannot be used"),
    "IMAGE_MANIPULATOR_REJECTED": ("RESIZING_IMAGE", "The image manipulator refused the request"),
    "IMAGE_MANIPULATOR_TIMEOUT": ("CHECKING_ZOOM", "The image manipulator did not answer in time"),
    "IMAGE_MANIPULATOR_UNAVAILABLE": ("RESIZING_IMAGE", "The image manipulator is unavailable"),
    "BIREFNET_BAD_ANSWER": ("REMOVING_BACKGROUND", "BiRefNet's answer cannot be used"),
    "BIREFNET_JOB_FAILED": ("REMOVING_BACKGROUND", "BiRefNet's job failed"),
    "BIREFNET_REJECTED": ("REMOVING_BACKGROUND", "BiRefNet refused the request"),
    "BIREFNET_TIMEOUT": ("REMOVING_BACKGROUND", "BiRefNet did not finish in time"),
    "BIREFNET_UNAVAILABLE": ("REMOVING_BACKGROUND", "BiRefNet is unavailable"),
    "SAM3_BAD_ANSWER": ("GENERATING_MASK", "SAM3's answer cannot be used"),
    "SAM3_JOB_FAILED": ("GENERATING_MASK", "SAM3's job failed"),
    "SAM3_REJECTED": ("GENERATING_MASK", "SAM3 refused the request"),
    "SAM3_TIMEOUT": ("GENERATING_MASK", "SAM3 did not finish in time"),
    "SAM3_UNAVAILABLE": ("GENERATING_MASK", "SAM3 is unavailable"),
    "A100_BAD_ANSWER": ("GENERATING_IMAGES", "The A100 server's answer cannot be used"),
    "A100_ERROR": ("GENERATING_IMAGES", "The A100 server failed"),
    "A100_REJECTED": ("REFINING_MASK", "The A100 server refused the request"),
    "A100_TIMEOUT": ("GENERATING_IMAGES", "The A100 server did not finish in time"),
    "A100_UNAVAILABLE": ("GENERATING_IMAGES", "A100 server is offline"),
    "STEP_TIMEOUT": ("GENERATING_MASK", "A step took too long"),
    "WORKFLOW_TERMINATED": ("REMOVING_BACKGROUND", "The try-on was stopped by an operator"),
    "WORKFLOW_TIMED_OUT": ("UPLOADING_IMAGE", "The try-on took too long and was ended"),
    "INTERNAL_ERROR": ("CHECKING_ZOOM", "An unexpected error in the backend"),
}
"""What a try-on can fail with: code, the step that it fails in, and the message."""


class Stream(Enum):
    """What happens to a stream of events."""

    WHOLE = "whole"
    BREAKS = "breaks"
    UNAVAILABLE = "unavailable"
    SILENT = "silent"


class Start(Enum):
    """What happens to the answer of a start that was taken."""

    ANSWERED = "answered"
    LOST = "lost"
    UNSURE = "unsure"


@dataclass(frozen=True)
class Script:
    """What happens to one try-on.

    Attributes:
        name: what `X-Scenario` or `sessionId` says.
        what: one line for the list.
        pace: the factor of each step's time.
        stays: the step that it does not leave until it is cancelled.
        long: a step that takes longer, and the seconds that it takes.
        fails: the code of FAILURES that it ends with.
        gemini, fidelity: whether the result has those pictures.
        operation, code: the operation that is refused, and the error it is refused with.
        start, stream: what happens to the first answer, and to the streams.
        delay: seconds before each answer.
        degraded: what `GET /health` says.
    """

    name: str
    what: str
    pace: float = 1.0
    stays: str | None = None
    long: tuple[str, float] | None = None
    fails: str | None = None
    gemini: bool = True
    fidelity: bool = True
    operation: str | None = None
    code: str | None = None
    start: Start = Start.ANSWERED
    stream: Stream = Stream.WHOLE
    delay: float = 0.0
    degraded: bool = False

    def times(self) -> Iterator[tuple[str, int, float]]:
        """Yield each step with its progress and its seconds, to where the try-on ends or stays."""
        for step, progress, seconds in STEPS:
            taken = self.long[1] if self.long and self.long[0] == step else seconds * self.pace
            yield step, progress, float("inf") if step == self.stays else taken
            if self.fails and FAILURES[self.fails][0] == step:
                return


STORIES = (
    Script("happy", "COMPLETED after 7.5 s, with everything. What a start without a scenario gets"),
    Script("instant", "COMPLETED at the first look", pace=0),
    Script("slow", "COMPLETED after 3 minutes, as on a busy day", pace=24),
    Script("cold-start", "SAM3's GPU wakes up: GENERATING_MASK takes 80 s", long=("GENERATING_MASK", 80)),
    Script("stuck", "RUNNING in GENERATING_IMAGES until it is cancelled", stays="GENERATING_IMAGES"),
    Script("no-worker", "RUNNING in UPLOADING_IMAGE until it is cancelled", stays="UPLOADING_IMAGE"),
    Script("flux-only", "COMPLETED without Gemini's half: three fields are null", gemini=False),
    Script("no-fidelity", "COMPLETED without fidelity pictures: two fields are null", fidelity=False),
    Script("bare", "COMPLETED with what is never null alone", gemini=False, fidelity=False),
    Script("a100-down", "FAILED with A100_UNAVAILABLE in GENERATING_IMAGES", fails="A100_UNAVAILABLE"),
    Script("bad-photo", "FAILED with INVALID_IMAGE in UPLOADING_IMAGE, after the 202", fails="INVALID_IMAGE"),
    Script("answer-lost", "the first start is taken, and its answer breaks off: repeat it", start=Start.LOST),
    Script("answer-unsure", "the first start is a 503 with workflowId, and the try-on runs", start=Start.UNSURE),
    Script("slow-answers", "every answer takes 3 s", delay=3),
    Script("stream-breaks", "each stream of events breaks off after two of them", stream=Stream.BREAKS),
    Script("stream-unavailable", "the first stream ends with an event `unavailable`", stream=Stream.UNAVAILABLE),
    Script("stream-silent", "streams say nothing but comments; GET tells how it stands", stream=Stream.SILENT),
    Script("degraded", "GET /health (with the header) says that a service is away", degraded=True),
)


class UnknownScriptError(LookupError):
    """There is no script of this name; the message names close ones."""


@cache
def scripts() -> dict[str, Script]:
    """Return all scripts by name, in the order of the list."""
    found = {story.name: story for story in STORIES}
    for code, (step, _) in FAILURES.items():
        name = f"failed-{_kebab(code)}"
        found[name] = Script(name, f"FAILED with {code} in {step}", fails=code)
    for operation in OPERATIONS:
        for code, problem in problems(operation).items():
            name = f"{operation}-{_kebab(code)}"
            when = f"the first {TIMES} times" if problem.status in PASSING else "each time"
            what = f"{operation} is a {problem.status} {code}, {when}"
            found[name] = Script(
                name,
                what,
                pace=0 if code in _AT_THE_END else 1,
                stays="GENERATING_IMAGES" if operation == "cancel" and code not in _AT_THE_END else None,
                operation=operation,
                code=code,
            )
    return found


def script(name: str) -> Script:
    """Return a script by its name.

    Raises:
        UnknownScriptError: there is none.
    """
    try:
        return scripts()[name]
    except KeyError:
        close = difflib.get_close_matches(name, scripts(), n=3, cutoff=0.5)
        hint = f"; close ones: {', '.join(close)}" if close else ""
        raise UnknownScriptError(f"There is no scenario {name[:60]!r}{hint}. GET /scenarios lists them all") from None


def faster(one: Script, factor: float) -> Script:
    """Return a script whose try-on is so many times faster."""
    long = (one.long[0], one.long[1] / factor) if one.long else None
    return replace(one, pace=one.pace / factor, long=long, delay=one.delay / factor)


def _kebab(code: str) -> str:
    return code.lower().replace("_", "-")
