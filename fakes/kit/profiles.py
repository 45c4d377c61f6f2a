"""How long a service takes and how much it can carry: named profiles, or one's own."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fakes.kit.distributions import Seconds
from fakes.kit.rules import RuleError, RulesInvalid


class Capacity(BaseModel):
    """A server's slots and what happens when they are taken. Durations are seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    slots: int = Field(default=1, ge=1)
    queue: int | None = Field(default=None, ge=0)
    """How many may wait for a slot. None: any number."""
    when_full: Literal["503", "429", "wait"] = "503"
    """What a call gets that finds the queue full."""
    retry_after: float = Field(default=5, ge=0)
    cold_start: Seconds | None = None
    """What the first call waits besides, and each one after the server was idle for so long."""
    idle: float = Field(default=300, gt=0)


class Profile(BaseModel):
    """Latencies by operation, growth with the picture, limits, and the capacity model."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    name: str = "custom"
    latency: dict[str, Seconds] = {}
    """Before the answer, or the service time of an operation that works. None: at once."""
    seconds_per_megapixel: float = Field(default=0, ge=0)
    """What the service time grows by with the picture."""
    out_of_memory_megapixels: float | None = Field(default=None, gt=0)
    """Larger pictures fail: 500, or a failed job."""
    capacity: Capacity | None = None
    """None: as if there were always a free slot."""


NAMED: dict[str, dict[str, dict[str, Any]]] = {
    "instant": {},
    "realistic": {
        "image_manipulator": {
            "latency": {
                "resize": {"lognormal": {"median": 0.6, "p99": 2}},
                "zoom_check": {"lognormal": {"median": 0.2, "p99": 0.8}},
            },
            "seconds_per_megapixel": 0.02,
            "capacity": {"slots": 8},
        },
        "birefnet": {
            "latency": {"submit": {"lognormal": {"median": 8, "p99": 20}}, "poll": 0.03},
            "seconds_per_megapixel": 0.5,
            "capacity": {"slots": 4, "cold_start": {"uniform": [10, 20]}},
        },
        "sam3": {
            "latency": {"submit": {"lognormal": {"median": 6, "p99": 15}}, "poll": 0.03},
            "seconds_per_megapixel": 0.5,
            "capacity": {"slots": 4, "cold_start": {"uniform": [10, 20]}},
        },
        "a100": {
            "latency": {
                "health": 0.02,
                "refine_mask": {"lognormal": {"median": 2, "p99": 5}},
                "generate": {"lognormal": {"median": 25, "p99": 50}},
            },
            "seconds_per_megapixel": 1,
            "out_of_memory_megapixels": 40,
            "capacity": {"slots": 1},
        },
        "blob": {"latency": dict.fromkeys(("get", "put", "head"), 0.02)},
    },
    "overloaded": {
        "image_manipulator": {
            "latency": {"resize": {"lognormal": {"median": 3, "p99": 20}}, "zoom_check": {"exponential": 1}},
            "capacity": {"slots": 2, "queue": 8, "retry_after": 2},
        },
        "birefnet": {
            "latency": {"submit": {"lognormal": {"median": 25, "p99": 90}}, "poll": {"exponential": 0.3}},
            "capacity": {"slots": 1, "queue": 4, "when_full": "429"},
        },
        "sam3": {
            "latency": {"submit": {"lognormal": {"median": 20, "p99": 80}}, "poll": {"exponential": 0.3}},
            "capacity": {"slots": 1, "queue": 4, "when_full": "429"},
        },
        "a100": {
            "latency": {
                "health": {"exponential": 0.2},
                "refine_mask": {"lognormal": {"median": 6, "p99": 30}},
                "generate": {"lognormal": {"median": 60, "p99": 170}},
            },
            "out_of_memory_megapixels": 40,
            "capacity": {"slots": 1, "queue": 2},
        },
        "blob": {"latency": {name: {"exponential": 0.3} for name in ("get", "put", "head")}},
    },
}
"""By name and service. A service that a name does not list is instant."""


def read_profile(data: Any, service: str) -> Profile:
    """Return a profile: a name as text or {"name": …} alone, or the profile itself.

    Raises:
        RulesInvalid: no such name, or a field of it is wrong.
    """
    if isinstance(data, dict) and set(data) == {"name"}:
        data = data["name"]
    if isinstance(data, str):
        if data not in NAMED:
            known = ", ".join(NAMED)
            raise RulesInvalid([RuleError(rule="profile", field="name", message=f"no profile {data!r}, only {known}")])
        data = {"name": data} | NAMED[data].get(service, {})
    try:
        return Profile.model_validate(data)
    except ValidationError as invalid:
        raise RulesInvalid(
            [
                RuleError(rule="profile", field=".".join(map(str, error["loc"])), message=error["msg"])
                for error in invalid.errors(include_url=False)
            ]
        ) from invalid
