"""Which plans come when: every single fault first, then pairs by what has not been seen yet."""

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from operator import itemgetter
from typing import Generic, NamedTuple

from scenarios.explore.application import Application, Change, Placed, PlanT, Seen, Site

Word = tuple[str, str]
"""A fault without its parameters: the operation, and the kind."""


class Parent(NamedTuple):
    """A plan with one fault whose run showed something new, and what the fault was."""

    placed: Placed
    seen: Seen


def singles(application: Application[PlanT], starts: Sequence[tuple[PlanT, Seen]], seed: int) -> Iterator[Placed]:
    """Yield every single fault at every call of the fault-free runs, and every act beside every boundary: each third.

    A site that several starts have is tried from one of them alone. The order is the seed's, and no word comes a second
    time before each has come once, so that any first part of it is a sample of the whole.
    """
    chance = random.Random(seed)  # noqa: S311 - a sample, no secret
    faults = [each for plan, seen in starts for each in application.faults(plan, seen.sites)]
    acts = [each for plan, seen in starts for each in application.acts(plan, seen)]
    chance.shuffle(faults)
    chance.shuffle(acts)
    placed = _once_each(_in_rounds(faults))
    by_turns = zip_longest(placed, placed, filter(None, map(_placed, _in_rounds(acts))))
    yield from (each for turn in by_turns for each in turn if each is not None)


def _in_rounds(changes: Sequence[Change]) -> list[Change]:
    """Return them so that each word comes once before one comes again."""
    came: Counter[Word] = Counter()
    rounds: list[tuple[int, Change]] = []
    for each in changes:
        rounds.append((came[_word(each)], each))
        came[_word(each)] += 1
    return [each for _, each in sorted(rounds, key=itemgetter(0))]


def _once_each(changes: Iterable[Change]) -> Iterator[Placed]:
    """Yield a plan for each site and kind."""
    tried: set[tuple[Site, str]] = set()
    for each in changes:
        if (each.site, each.kind) not in tried and (placed := _placed(each)) is not None:
            tried.add((each.site, each.kind))
            yield placed


def _placed(change: Change) -> Placed | None:
    made = change.make()
    return None if made is None else Placed(change.site, change.kind, made)


class Pairs(Generic[PlanT]):
    """Second faults and acts on top of first ones. A site is tried only where the first run reached it.

    Rare combinations of two words come first: one that was never tried before one that was, whatever its call.
    """

    def __init__(self, application: Application[PlanT], seed: int) -> None:
        self._application = application
        self._chance = random.Random(seed)  # noqa: S311 - a sample, no secret
        self._tried: Counter[tuple[Word, Word]] = Counter()
        self._parents: list[Parent] = []

    def add(self, placed: Placed, seen: Seen) -> None:
        """Take a plan whose run showed something new."""
        self._parents.append(Parent(placed, seen))

    def __len__(self) -> int:
        return len(self._parents)

    def take(self, most: int) -> list[Placed]:
        """Return so many plans: from each parent in turn the least tried combinations."""
        taken: list[Placed] = []
        while self._parents and len(taken) < most:
            parent = self._parents.pop(0)
            taken += self._of(parent, min(most - len(taken), max(4, most // 4)))
        return taken

    def _of(self, parent: Parent, most: int) -> Iterator[Placed]:
        first = _word(parent.placed)
        choices = [
            *self._application.faults(parent.placed.plan, parent.seen.sites),
            *self._application.acts(parent.placed.plan, parent.seen),
        ]
        self._chance.shuffle(choices)
        choices = [each for each in choices if (each.site, each.kind) != (parent.placed.site, parent.placed.kind)]
        while choices and most:
            # The least tried by now: each one that is taken counts for the next.
            place = min(range(len(choices)), key=lambda n: (self._tried[first, _word(choices[n])], n))
            chosen = choices.pop(place)
            if (plan := chosen.make()) is None:
                continue
            self._tried[first, _word(chosen)] += 1
            most -= 1
            yield Placed(chosen.site, chosen.kind, plan)


def _word(placed: Placed | Change) -> Word:
    return placed.site.operation, placed.kind
