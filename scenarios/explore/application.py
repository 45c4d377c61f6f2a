"""What the explorer needs of an application, and what one run of a plan shows it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol, TypeVar

PlanT = TypeVar("PlanT")
Verdict = Literal["passed", "failed", "inconclusive"]
Cell = tuple[str, ...]
"""A place on the map: the table's name, then a word for each of its dimensions."""


class Site(NamedTuple):
    """A call that a fault can be put at: the operation, and which of its calls, from 1."""

    operation: str
    number: int


class Placed(NamedTuple):
    """A plan with one fault more, and what it was: `site` is where, `kind` a word for the fault."""

    site: Site
    kind: str
    plan: Any


class Change(NamedTuple):
    """Something more in a plan: where, a word for what, and how to make it. None is made of it where it tells nothing.

    There are thousands for each plan, of which few are taken: making it is put off.
    """

    site: Site
    kind: str
    make: Callable[[], Any | None]


class Simpler(NamedTuple):
    """A plan that is a little simpler, and the words for what is different in it: `without the second 503`."""

    how: str
    plan: Any


@dataclass(frozen=True)
class Seen:
    """What a run showed.

    Attributes:
        verdict: `inconclusive` when it cannot tell: a rule that never fired, a clock that leaked.
        cause: of a failure, in words that all runs with the same cause share.
        problems: what is wrong, a line each.
        behaviours: words for what happened; a new one makes a plan worth varying.
        cells: places on the map that it reached.
        sites: the calls that were made, in their order.
        ended: virtual seconds from beginning to end.
    """

    verdict: Verdict
    cause: str = ""
    problems: tuple[str, ...] = ()
    behaviours: frozenset[str] = frozenset()
    cells: frozenset[Cell] = frozenset()
    sites: tuple[Site, ...] = ()
    ended: float = 0.0


class Application(Protocol[PlanT]):
    """What is explored. Plans are values: equal ones have equal `digest`, and a run of one shows the same each time."""

    def starts(self) -> Sequence[PlanT]:
        """Return the plans without faults, from whose ledgers everything begins."""
        ...

    def faults(self, plan: PlanT, sites: Iterable[Site]) -> Iterator[Change]:
        """Yield every kind of fault at each of the sites, each with its telling parameters."""
        ...

    def acts(self, plan: PlanT, seen: Seen) -> Iterator[Change]:
        """Yield what the user may do, at and beside the boundaries that the run showed, and what may happen around."""
        ...

    def drawn(self, seed: int) -> PlanT:
        """Return a plan of many parts, by chance; the same for the same seed."""
        ...

    def simpler(self, plan: PlanT) -> Iterator[Simpler]:
        """Yield plans that are simpler than this one, the simplest first."""
        ...

    def size(self, plan: PlanT) -> int:
        """Return how many faults and acts a plan has."""
        ...

    def digest(self, plan: PlanT) -> str:
        """Return a short text that differs for plans that differ."""
        ...

    def run(self, plans: Sequence[PlanT]) -> list[Seen]:
        """Run plans side by side and return what each showed, in the given order."""
        ...


Progress = Callable[[int, int], None]
"""Called with the plans that ran and the findings so far."""
