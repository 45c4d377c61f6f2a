"""The named profiles of the services: how long each takes, and how much it carries."""

from typing import Any

from fakes.kit import profiles as kit
from fakes.kit.profiles import Profile

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


def named(service: str) -> kit.Named:
    """Return the profiles of one service by name."""
    return {name: services.get(service, {}) for name, services in NAMED.items()}


def read_profile(data: Any, service: str) -> Profile:
    """Return a profile of a service: the name of one, or the profile itself.

    Raises:
        RulesInvalid: no such name, or a field of it is wrong.
    """
    return kit.read_profile(data, named(service))
