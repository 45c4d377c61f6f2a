"""Where the kit finds the names of headers. The wheel has another file in this one's place (deploy/wheel)."""

from scenarios.headers import ATTEMPT, DNS, ELAPSED, FAULT, LONGEST_PAUSE, REFUSE, TIME, UNREACHABLE, WORKFLOW_ID

__all__ = ["ATTEMPT", "DNS", "ELAPSED", "FAULT", "LONGEST_PAUSE", "REFUSE", "TIME", "UNREACHABLE", "WORKFLOW_ID"]
