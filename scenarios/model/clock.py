"""The virtual clock of the model, which the user's cancel stops."""

from scenarios.model.choices import Choices

SAME = 1e-6
"""Two instants that differ by less are one."""


class Cancelled(Exception):  # noqa: N818 - it is no error: the user did it
    """The user's cancel has come."""


class Clock:
    """Virtual seconds since the try-on began.

    Args:
        cancel_at: when the user cancels, if at all.
        choices: asked where a cancel and something else are at one instant.
    """

    def __init__(self, cancel_at: float | None, choices: Choices) -> None:
        self.now = 0.0
        self._cancel_at = cancel_at
        self._choices = choices

    def passes(self, seconds: float) -> None:
        """Let so many seconds pass.

        Raises:
            Cancelled: the user cancelled before they were over.
        """
        if self._cancel_at is not None and self._cancel_at < self.now + seconds - SAME:
            self.now = max(self.now, self._cancel_at)
            raise Cancelled
        self.now += seconds

    def point(self) -> None:
        """Say that something else happens now: a cancel at this instant may come before it, or after.

        Raises:
            Cancelled: it came before.
        """
        if self.cancelled_now and self._choices.either("after", "before") == "before":
            raise Cancelled

    @property
    def cancelled_now(self) -> bool:
        """Whether the user cancels at this very instant."""
        return self._cancel_at is not None and abs(self._cancel_at - self.now) <= SAME
