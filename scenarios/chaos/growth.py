"""What processes gain while they live. The one that follows a killed process is looked at on its own."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

MORE_FILES = 12
"""Open files that a process may have gained: connections that pools keep for the next call."""

MORE_MEMORY_MB = 60
"""Memory that a process may have gained by caches and heaps that its first try-ons filled."""


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
        return self.files > MORE_FILES or self.memory_mb > MORE_MEMORY_MB

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
        """Return what was gained, by name. A process is measured from its second reading: the first one fills pools."""
        worst: dict[str, Growth] = {}
        for (name, _), (_, *readings) in self._taken.items():
            if len(readings) < 2:
                continue
            first, last = readings[0], readings[-1]
            grown = Growth(name, last.files - first.files, last.memory_mb - first.memory_mb, len(readings) - 1)
            if name not in worst or _size(grown) > _size(worst[name]):
                worst[name] = grown
        return list(worst.values())


def _size(grown: Growth) -> float:
    return max(grown.files / MORE_FILES, grown.memory_mb / MORE_MEMORY_MB)
