"""Where the specification leaves freedom: a model that asks for a choice is run once for each way to choose."""

from collections.abc import Callable
from typing import TypeVar

ResultT = TypeVar("ResultT")
OptionT = TypeVar("OptionT")
MOST = 64
"""Ways that are followed; more freedom than that says nothing."""


class Undecided(Exception):  # noqa: N818 - it is no error: the model does not say
    """The model says nothing of this plan; the message says why."""


class Choices:
    """The choices of one way through the model: those given, then the first option each time."""

    def __init__(self, given: tuple[int, ...] = ()) -> None:
        self._given = given
        self.made: list[int] = []
        self.sizes: list[int] = []

    def either(self, *options: OptionT) -> OptionT:
        """Return one of the options."""
        place = len(self.made)
        chosen = self._given[place] if place < len(self._given) else 0
        self.made.append(chosen)
        self.sizes.append(len(options))
        return options[chosen]


def every_way(follow: Callable[[Choices], ResultT]) -> list[ResultT]:
    """Return what comes of every way to choose.

    Raises:
        Undecided: there are too many.
    """
    results: list[ResultT] = []
    waiting: list[tuple[int, ...]] = [()]
    while waiting:
        given = waiting.pop()
        if len(results) >= MOST:
            raise Undecided(f"more than {MOST} stories are allowed")
        choices = Choices(given)
        results.append(follow(choices))
        for place in range(len(given), len(choices.made)):
            waiting += [(*choices.made[:place], other) for other in range(1, choices.sizes[place])]
    return results
