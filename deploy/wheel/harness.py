"""Where the kit finds the names of headers: in this package, beside it."""

from ..headers import ATTEMPT, DNS, ELAPSED, FAULT, LONGEST_PAUSE, REFUSE, TIME, UNREACHABLE, WORKFLOW_ID

__all__ = ["ATTEMPT", "DNS", "ELAPSED", "FAULT", "LONGEST_PAUSE", "REFUSE", "TIME", "UNREACHABLE", "WORKFLOW_ID"]
