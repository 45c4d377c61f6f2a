"""Latencies in a High Dynamic Range histogram: every value to three digits."""

from collections.abc import Iterable, Sequence
from itertools import count

from hdrh.histogram import HdrHistogram

MICROSECONDS = 1_000_000
LONGEST_S = 24 * 3600
DIGITS = 3
POINTS = 4
"""Of a curve, for each halving of what lies beyond."""
PERCENTILES = (50, 75, 90, 95, 99, 99.9)


class Latencies:
    """Durations in seconds, from a microsecond to a day."""

    def __init__(self, seconds: Iterable[float] = ()) -> None:
        self._histogram = HdrHistogram(1, LONGEST_S * MICROSECONDS, DIGITS)
        self._total_s = 0.0
        for value in seconds:
            self.add(value)

    def __len__(self) -> int:
        return int(self._histogram.get_total_count())

    def add(self, seconds: float) -> None:
        """Record one duration."""
        self._total_s += seconds
        self._histogram.record_value(max(1, min(round(seconds * MICROSECONDS), LONGEST_S * MICROSECONDS)))

    def at(self, percentile: float) -> float | None:
        """Return the duration in seconds that this share of all, in percent, did not exceed; None if there is none."""
        return float(self._histogram.get_value_at_percentile(percentile)) / MICROSECONDS if len(self) else None

    def curve(self) -> list[tuple[float, float]]:
        """Return (percentile, seconds), closer and closer to 100 up to the slowest."""
        if not len(self):
            return []
        points = [(0.0, self._histogram.get_min_value() / MICROSECONDS)]
        for number in count(1):
            if points[-1][0] >= 100 - 100 / len(self):  # less than one value lies beyond
                break
            percentile = 100 - 100 * 2 ** (-number / POINTS)
            points.append((percentile, float(self.at(percentile) or 0)))
        return points

    def figures(self) -> dict[str, float | int | None]:
        """Return count, mean, maximum and the usual percentiles, in seconds, by name: `p95_s`."""
        if not len(self):
            return {"count": 0}
        figures: dict[str, float | int | None] = {"count": len(self)}
        figures["mean_s"] = self._total_s / len(self)
        at = self._histogram.get_percentile_to_value_dict(list(PERCENTILES))
        figures |= {f"p{percentile:g}_s": at[percentile] / MICROSECONDS for percentile in PERCENTILES}
        figures["max_s"] = self._histogram.get_max_value() / MICROSECONDS
        return figures


def at_percentile(ascending: Sequence[float], percentile: float) -> float:
    """Return the value that this part of all, in percent, does not exceed: the one that an HDR histogram returns."""
    return ascending[max(1, int(percentile * len(ascending) / 100 + 0.5)) - 1]
