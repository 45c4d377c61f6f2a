"""The work of one fake: how long it takes by the profile, and whether there is a slot for it."""

import time
from collections.abc import Mapping

from starlette.exceptions import HTTPException

from .calls import Operation, this_call
from .capacity import Full, Slots
from .profiles import Profile
from .rules import RuleError, RulesInvalid


class OutOfMemoryError(MemoryError):
    """The picture does not fit the model's memory."""


class Work:
    """The profile of one fake, and its slots."""

    def __init__(self, service: str, operations: Mapping[str, Operation]) -> None:
        self._service = service
        self._operations = operations
        self.profile = Profile()
        self.slots: Slots | None = None

    def set_profile(self, profile: Profile) -> None:
        """Take another profile, with all slots free.

        Raises:
            RulesInvalid: it gives a latency to an operation that this service does not have.
        """
        known = ", ".join(self._operations)
        wrong = [
            RuleError(rule="profile", field=f"latency.{name}", message=f"{self._service} has no {name!r}, only {known}")
            for name in profile.latency
            if name not in self._operations
        ]
        if wrong:
            raise RulesInvalid(wrong)
        self.profile = profile
        self.slots = Slots(profile.capacity) if profile.capacity else None

    def timed(self, operation: str) -> bool:
        """Return whether the profile gives an operation's work a time."""
        profile = self.profile
        grows = profile.seconds_per_megapixel > 0 or (profile.capacity and profile.capacity.cold_start)
        latency = profile.latency.get(operation)
        return bool(grows or (latency and latency.fixed != 0))

    def admit(self, megapixels: float = 0.0) -> float:
        """Return when the work of this call ends, by the caller's clock.

        Raises:
            OutOfMemoryError: the profile says that so much does not fit.
            HTTPException: 503 or 429 when all slots and the queue are full.
        """
        call = this_call()
        limit = self.profile.out_of_memory_megapixels
        if limit is not None and megapixels > limit:
            raise OutOfMemoryError(f"CUDA out of memory: {megapixels:.1f} megapixels, {limit:g} fit")
        latency = self.profile.latency.get(call.operation.name)
        service = latency.at(call.draw("latency")) if latency else 0.0
        service += self.profile.seconds_per_megapixel * megapixels
        if call.virtual or self.slots is None:
            return call.later(service)
        model = self.slots.model
        cold = model.cold_start.at(call.draw("cold start")) if model.cold_start else 0.0
        try:
            return self.slots.admit(time.time(), service * call.scale, cold * call.scale, call.scale)
        except Full as full:
            raise HTTPException(
                int(model.when_full), "all slots are busy", {"Retry-After": f"{model.retry_after:g}"}
            ) from full
