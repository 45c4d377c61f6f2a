"""What processes gain while they live. The one that follows a killed process is looked at on its own."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median_low

BORROWED = frozenset({"temporal", "azurite"})
"""Servers of others, whose caches are not ours to keep small."""


@dataclass(frozen=True)
class Limit:
    """What a process may have gained. Files are open ones: connections that pools keep for the next call."""

    files: int
    memory_mb: float


OURS = Limit(files=4, memory_mb=15)
THEIRS = Limit(files=12, memory_mb=60)


@dataclass(frozen=True)
class Reading:
    """What a process has at a moment. `memory_mb` is its resident set."""

    pid: int
    files: int
    memory_mb: float


@dataclass(frozen=True)
class Growth:
    """The most that one process of this name gained; `over` says over how many faults."""

    process: str
    files: int
    memory_mb: float
    over: int

    @property
    def excess(self) -> bool:
        """Whether it is more than pools and caches explain."""
        limit = self.limit
        return self.files > limit.files or self.memory_mb > limit.memory_mb

    @property
    def limit(self) -> Limit:
        """What this process may gain."""
        return THEIRS if self.process in BORROWED else OURS

    def __str__(self) -> str:
        return f"{self.process} {self.files:+d} files {self.memory_mb:+.0f} MB over {self.over} faults"


class Readings:
    """Readings of every process, one after each fault."""

    def __init__(self) -> None:
        self._taken: dict[tuple[str, int], list[Reading]] = defaultdict(list)

    def take(self, seen: Mapping[str, Reading]) -> None:
        """Keep what was seen of each process, by its name."""
        for name, reading in seen.items():
            self._taken[name, reading.pid].append(reading)

    def growth(self) -> list[Growth]:
        """Return the most that one process of each name gained, from its first readings to its last.

        A process is measured from its second reading, since the first one fills pools. Files: the median of the last
        third less that of the first, so that one connection more or less at the moment of a look is no growth. Memory:
        the lowest of the later half less the lowest of the earlier one, since a collected heap is a saw (Azurite's
        rises by 80 MB and falls back), and only a leak lifts the feet of its teeth.
        """
        worst: dict[str, Growth] = {}
        for (name, _), (_, *readings) in self._taken.items():
            if len(readings) < 2:
                continue
            third = max(1, len(readings) // 3)
            first, last = readings[:third], readings[-third:]
            files = median_low([one.files for one in last]) - median_low([one.files for one in first])
            half = len(readings) // 2
            memory_mb = min(one.memory_mb for one in readings[half:]) - min(one.memory_mb for one in readings[:half])
            grown = Growth(name, files, memory_mb, len(readings) - 1)
            if name not in worst or _size(grown) > _size(worst[name]):
                worst[name] = grown
        return list(worst.values())


def _size(grown: Growth) -> float:
    return max(grown.files / grown.limit.files, grown.memory_mb / grown.limit.memory_mb)
