"""The map of what was reached, of what could be and was not, and of what cannot be."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from scenarios.explore.application import Cell, Seen


@dataclass
class Coverage:
    """Behaviours and cells with the first plan that showed each.

    Attributes:
        reachable: the cells that some plan can reach, by what the application says; those reached are among them.
        grid: every cell there is; what is neither reached nor reachable is impossible.
        nearest: for a cell that is reachable, a plan that should come to it.
    """

    reachable: frozenset[Cell] = frozenset()
    grid: frozenset[Cell] = frozenset()
    nearest: Mapping[Cell, str] = field(default_factory=dict)
    behaviours: dict[str, str] = field(default_factory=dict)
    reached: dict[Cell, str] = field(default_factory=dict)

    def take(self, name: str, seen: Seen) -> int:
        """Note what a plan's run showed, and return how much of it was new."""
        behaviours = seen.behaviours - self.behaviours.keys()
        cells = seen.cells - self.reached.keys()
        self.behaviours.update(dict.fromkeys(behaviours, name))
        self.reached.update(dict.fromkeys(cells, name))
        return len(behaviours) + len(cells)

    @property
    def possible(self) -> frozenset[Cell]:
        """The cells that were reached or could be."""
        return self.reachable | frozenset(self.reached)

    def state(self, cell: Cell) -> str:
        """Return `reached`, `open` (it could be and was not) or `impossible`."""
        if cell in self.reached:
            return "reached"
        return "open" if cell in self.reachable else "impossible"

    def holes(self) -> list[Cell]:
        """Return the cells that could be reached and were not."""
        return sorted(self.reachable - frozenset(self.reached))

    def tables(self) -> dict[str, list[Cell]]:
        """Return all cells by the name of their table, in order."""
        tables: dict[str, list[Cell]] = {}
        for cell in sorted(self.grid | self.possible):
            tables.setdefault(cell[0], []).append(cell)
        return tables


def words(cells: Iterable[Cell], place: int) -> list[str]:
    """Return the different words that cells have at a place, in order."""
    return sorted({cell[place] for cell in cells})
