"""What processes cost: CPU seconds, memory and its peak, read from the operating system while they run."""

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import psutil

MIB = 1024 * 1024


@dataclass(frozen=True)
class Cost:
    """What a process and its children used between two readings. CPU in seconds, memory in bytes of resident set."""

    cpu: float
    idle: int
    peak: int

    @property
    def growth(self) -> int:
        """The peak over the first reading, in bytes."""
        return self.peak - self.idle


@dataclass(frozen=True)
class Reading:
    """CPU seconds used so far, and bytes resident now."""

    cpu: float
    memory: int


def tree(pid: int) -> list[psutil.Process]:
    """Return a process and its children, as they are now. Finding them costs milliseconds."""
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def read(processes: Sequence[psutil.Process]) -> Reading:
    """Read processes as one; what has ended counts as nothing."""
    cpu, memory = 0.0, 0
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            cpu += times.user + times.system
            memory += process.memory_info().rss
    return Reading(cpu, memory)


class Watch:
    """Reads processes by name, again and again; the children that each has at the beginning are counted with it."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._trees = {name: tree(pid) for name, pid in pids.items()}
        self._last: dict[str, Reading] = {}

    def read(self) -> dict[str, Reading]:
        """Return a reading of each. One that has ended keeps the CPU that it used, and has no memory any more."""
        for name, processes in self._trees.items():
            new = read(processes)
            self._last[name] = new if new.memory or name not in self._last else Reading(self._last[name].cpu, 0)
        return dict(self._last)


class Meter:
    """A context that reads processes every `interval` seconds in a thread. `pids` are those to read, by name.

    `costs()` may be asked inside the context and after it. `on_reading` is called in the thread, with each reading.
    """

    def __init__(
        self,
        pids: Mapping[str, int],
        *,
        interval: float = 0.02,
        on_reading: Callable[[Mapping[str, Reading]], None] = lambda _readings: None,
    ) -> None:
        self._watch = Watch(pids)
        self._interval = interval
        self._on_reading = on_reading
        self._first: dict[str, Reading] = {}
        self._last: dict[str, Reading] = {}
        self._peak: dict[str, int] = {}
        self._stop = threading.Event()
        self._died: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="process meter", daemon=True)

    def __enter__(self) -> Self:
        self._take()
        self._first = dict(self._last)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        if self._died is not None:
            raise self._died
        self._take()

    def costs(self) -> dict[str, Cost]:
        """Return what each process used since the context was entered."""
        return {
            name: Cost(self._last[name].cpu - first.cpu, first.memory, self._peak[name])
            for name, first in self._first.items()
        }

    def _run(self) -> None:
        try:
            while not self._stop.wait(self._interval):
                self._take()
        except Exception as error:  # noqa: BLE001 - whatever it is, the context that it measures for is to hear of it
            self._died = error

    def _take(self) -> None:
        readings = self._last = self._watch.read()
        for name, new in readings.items():
            self._peak[name] = max(self._peak.get(name, 0), new.memory)
        self._on_reading(readings)
