"""The faults that the console switches on and off. To add one, add a line: its rule is of the fakes' own schema."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PREFIX = "console."
"""The ids of the console's rules begin with it, so that it never removes the rules of others."""


@dataclass(frozen=True)
class Switch:
    """A fault by name: what it does, what comes of it, and its rule without id and key."""

    name: str
    service: str
    title: str
    outcome: str
    rule: Mapping[str, Any]

    def rule_id(self, workflow_id: str | None) -> str:
        """Return the id of its rule for one workflow, or for all."""
        return f"{PREFIX}{self.name}{f'.{workflow_id}' if workflow_id else ''}"

    def as_rule(self, workflow_id: str | None) -> dict[str, Any]:
        """Return its rule for one workflow, or for all."""
        return {"id": self.rule_id(workflow_id), "service": self.service, "key": workflow_id or "*", **self.rule}


def _switch(
    service: str, operation: str, name: str, title: str, outcome: str, *, calls: str | None = None, **fault: Any
) -> Switch:
    rule: dict[str, Any] = {"operation": operation, "fault": fault}
    return Switch(name, service, title, outcome, rule | ({"calls": calls} if calls else {}))


SWITCHES: tuple[Switch, ...] = (
    _switch(
        "image_manipulator",
        "resize",
        "resize-busy",
        "Resize is busy twice",
        "503, 503, then it works: two backoffs of 1 and 2 s",
        calls="1-2",
        kind="status",
        status=503,
    ),
    _switch(
        "image_manipulator",
        "zoom_check",
        "zoom-garbage",
        "Zoom check answers garbage once",
        "tried again after 1 s",
        calls="1",
        kind="garbage",
    ),
    _switch(
        "birefnet",
        "submit",
        "background-failed",
        "The background job fails once",
        "the next attempt submits a new job",
        calls="1",
        kind="job_failed",
    ),
    _switch(
        "birefnet",
        "submit",
        "background-refused",
        "Background removal refuses (422)",
        "BIREFNET_REJECTED, at once",
        kind="status",
        status=422,
    ),
    _switch(
        "sam3",
        "submit",
        "mask-slow",
        "The mask job is slow",
        "100 s of the fake's time: more polls; time to press Cancel",
        kind="job_slow",
        seconds=100,
    ),
    _switch(
        "sam3", "submit", "mask-lost", "The mask job is lost once", "404, and a new job", calls="1", kind="job_lost"
    ),
    _switch("sam3", "submit", "mask-empty", "The mask is empty", "SAM3_BAD_ANSWER after 3 attempts", kind="mask_empty"),
    _switch("sam3", "submit", "mask-stuck", "The mask job never ends", "SAM3_TIMEOUT after 120 s", kind="job_stuck"),
    _switch(
        "a100",
        "generate",
        "generate-reset",
        "The connection breaks once while generating",
        "tried again after 2 s",
        calls="1",
        kind="reset",
    ),
    _switch(
        "a100", "generate", "gemini-null", "Gemini gives no picture", "COMPLETED, with Flux alone", kind="gemini_null"
    ),
    _switch(
        "a100",
        "generate",
        "generate-truncated",
        "The picture arrives cut in half",
        "A100_BAD_ANSWER after 3 attempts",
        kind="picture_truncated",
    ),
    _switch(
        "a100",
        "generate",
        "generate-error",
        "The A100 fails (500) every time",
        "A100_ERROR after 3 attempts",
        kind="status",
        status=500,
    ),
    _switch(
        "a100",
        "health",
        "a100-offline",
        "The A100 is offline",
        "A100_UNAVAILABLE, not tried again",
        kind="status",
        status=200,
        body={"status": "offline", "gpu_memory_free": 0},
    ),
)
