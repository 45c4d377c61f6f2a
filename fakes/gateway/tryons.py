"""The try-ons: how each stands follows from its script and its age alone. Nothing runs in the background."""

import time
import uuid
from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from typing import Any

from fakes.gateway.asked import Asked
from fakes.gateway.pictures import result
from fakes.gateway.scripts import FAILURES, Script

KEPT = 200
"""So many try-ons are remembered; the oldest is forgotten."""


@dataclass
class TryOn:
    """One try-on: its id, its script, what was asked, when it began, whether it was cancelled."""

    workflow_id: str
    script: Script
    asked: Asked
    began: float = field(default_factory=time.monotonic)
    cancelled: bool = False
    requests: Counter[str] = field(default_factory=Counter)
    """How often each operation was asked for, which scripts count by."""

    def state(self) -> dict[str, Any]:
        """Return how it stands, as the gateway says it; COMPLETED without its pictures."""
        said: dict[str, Any] = {"workflowId": self.workflow_id}
        if self.cancelled:
            return said | {"status": "CANCELLED"}
        age = time.monotonic() - self.began
        for step, progress, seconds in self.script.times():
            if age < seconds:
                return said | {"status": "RUNNING", "progress": progress, "currentStep": step}
            age -= seconds
        if self.script.fails:
            step, message = FAILURES[self.script.fails]
            error = {"code": self.script.fails, "message": message, "failedStep": step}
            return said | {"status": "FAILED", "error": error}
        return said | {"status": "COMPLETED"}

    def changes_in(self) -> float:
        """Return the seconds to its next change; infinite when none comes."""
        age = time.monotonic() - self.began
        for _, _, seconds in self.script.times():
            if age < seconds:
                return seconds - age
            age -= seconds
        return float("inf")

    def result(self) -> dict[str, Any]:
        """Draw the pictures of a COMPLETED one."""
        return result(self.asked, gemini=self.script.gemini, fidelity=self.script.fidelity)


class TryOns:
    """All try-ons, by their ids and by the Idempotency-Keys that they were started with."""

    def __init__(self) -> None:
        self._all: OrderedDict[str, TryOn] = OrderedDict()
        self._keys: OrderedDict[str, tuple[str, str]] = OrderedDict()

    def get(self, workflow_id: str) -> TryOn | None:
        """Return a try-on, if there is one."""
        return self._all.get(workflow_id)

    def by_key(self, key: str, digest: str) -> TryOn | None:
        """Return the try-on that was started with a key, if there is one.

        Raises:
            ValueError: it was started with another body.
        """
        workflow_id, started_with = self._keys.get(key, ("", digest))
        if started_with != digest:
            raise ValueError(key)
        return self._all.get(workflow_id)

    def start(self, script: Script, asked: Asked, key: str | None, digest: str) -> TryOn:
        """Start a try-on. Without a key its own id is the key that a repeated start may bring."""
        workflow_id = str(uuid.uuid5(uuid.NAMESPACE_URL, key) if key else uuid.uuid4())
        one = self._all[workflow_id] = TryOn(workflow_id, script, asked)
        self._keys[key or workflow_id] = (workflow_id, digest)
        for kept in (self._all, self._keys):
            if len(kept) > KEPT:
                kept.popitem(last=False)
        return one
