"""The heartbeats of an attempt that reach Temporal: those that follow another one too soon are kept back a while."""

from collections.abc import Iterator, Sequence
from heapq import merge
from itertools import count

from scenarios.model.numbers import BEAT, BEATS_APART


def sent(began: float, told: Sequence[float]) -> Iterator[float]:
    """Yield the instants at which heartbeats reach Temporal, without end.

    Args:
        began: when the attempt began, from which its regular ones count.
        told: when it told of itself beside these, in order.
    """
    last, kept = began - BEATS_APART, False
    for beat in merge((began + BEAT * number for number in count(1)), told):
        if kept and last + BEATS_APART <= beat:
            last, kept = last + BEATS_APART, False
            yield last
        if last + BEATS_APART <= beat:
            last = beat
            yield last
        else:
            kept = True
