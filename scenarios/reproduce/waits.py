"""What the waits between attempts, and the time that the last one took, tell of the faults."""

from collections.abc import Iterator

from scenarios.explore.tryon.kinds import Kind
from scenarios.pipeline import BY_ACTIVITY
from scenarios.reproduce.facts import Tried
from scenarios.reproduce.guess import LIKELY_STATUS

SLOW_S = 3.0
"""A step that took so much longer than its services need without a fault was slow."""


def pause(known: Tried) -> float:
    """Return the seconds that each failure cost beyond what the policy waits."""
    backoffs = [backoff(known.activity, attempt) for attempt in range(1, known.attempts)]
    return (known.waited_s - sum(backoffs)) / len(backoffs) if backoffs else 0.0


def backoff(activity: str, attempt: int) -> float:
    """Return the seconds that the policy waits after a failed attempt."""
    retry = BY_ACTIVITY[activity].retry
    return min(retry.first_s * retry.coefficient ** (attempt - 1), retry.longest_s)


def asked_to_wait(beyond_s: float) -> Iterator[Kind]:
    """Yield faults whose Retry-After, or whose lateness, is what production waited beyond its policy."""
    if beyond_s > 0.5:
        for after in {round(beyond_s), round(beyond_s + 2)}:
            for status in (429, 503):
                yield Kind({"kind": "status", "status": status, "retry_after": after})
        yield Kind({"kind": "status", "status": 503, "delay": round(beyond_s, 1)})


def late_and_failed(known: Tried) -> Iterator[Kind]:
    """Yield faults that answer as late as the last attempt took, where it took long."""
    if known.took_s > SLOW_S:
        for status in LIKELY_STATUS:
            yield Kind({"kind": "status", "status": status, "delay": round(known.took_s, 1)})
