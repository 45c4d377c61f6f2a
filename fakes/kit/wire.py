"""The names on the wire between a fake and its callers: headers, and the path of the control plane."""

from .harness import ATTEMPT, DNS, ELAPSED, FAULT, LONGEST_PAUSE, REFUSE, TIME, UNREACHABLE, WORKFLOW_ID

__all__ = [
    "ATTEMPT",
    "CONTROL",
    "CONTROL_PORT_OFFSET",
    "DNS",
    "ELAPSED",
    "FAULT",
    "LONGEST_PAUSE",
    "REFUSE",
    "TIME",
    "UNREACHABLE",
    "WORKFLOW_ID",
]

CONTROL = "/__sim"
"""Where the control plane of a fake begins."""
CONTROL_PORT_OFFSET = 10_000
"""It listens so far above the service as well, on a port that stays open while the service refuses."""
