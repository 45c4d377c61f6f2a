"""What became of a rule that matched a call: it acted, or it was in vain. Only what a caller can notice is a hit."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fakes.kit.faults.base import Fault
    from fakes.kit.ledger import Entry
    from fakes.kit.rulebook import Active


class Hit:
    """A rule that matched a call. It is open until its fault changes something, or can no longer.

    An open hit counts for `max_hits` alone. One that acts counts as a hit, and is named in the ledger.
    """

    __slots__ = ("_entry", "acted", "active", "carried", "changed", "open")

    def __init__(self, active: "Active", entry: "Entry") -> None:
        active.taken += 1
        self.active = active
        self._entry = entry
        self.open = True
        self.acted = False
        self.changed = False
        """A picture is another one by it, which its caller does not have yet."""
        self.carried = False
        """A job goes on with it: its polls show it, not the call that submitted it."""

    @property
    def fault(self) -> "Fault":
        """What happens."""
        return self.active.rule.fault

    def act(self) -> None:
        """Count it: there is something now that the caller can notice."""
        if self.open:
            self.open, self.acted = False, True
            self.active.hits += 1
            rule = self.active.rule
            self._entry.rule, self._entry.fault = rule.id, rule.fault.kind

    def close(self) -> None:
        """Count it if it changed a picture, take it back if it changed nothing."""
        if self.changed:
            self.act()
        elif self.open:
            self.open = False
            self.active.taken -= 1

    def why_not(self) -> str:
        """Return in words why it is no hit."""
        if self.open:
            return f"it matched, and nobody has seen its {self.fault.kind} yet"
        return f"it matched, and {self.fault.kind} found nothing to change"
