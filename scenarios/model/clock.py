"""The virtual clock of the model, which the user's cancel stops, and the end of a worker interrupts."""

from collections.abc import Iterator, Sequence
from itertools import takewhile
from math import inf

from scenarios.model.choices import Choices, Undecided
from scenarios.model.heartbeats import sent
from scenarios.model.numbers import BEAT, SILENCE
from scenarios.scenario import Departure, Heard

SAME = 1e-6
"""Two instants that differ by less are one."""


class Cancelled(Exception):  # noqa: N818 - it is no error: the user did it
    """The user's cancel has come."""


class Unheard(Cancelled):
    """The user's cancel had come, and the attempt that has ended never heard of it."""


class WorkerLeft(Exception):  # noqa: N818 - it is no error: workers come and go
    """The worker of an attempt has left before that was done; `silently` when it died."""

    def __init__(self, *, silently: bool) -> None:
        super().__init__()
        self.silently = silently


class ModelClock:
    """Virtual seconds since the try-on began.

    Args:
        cancel_at: when the user cancels, if at all.
        heard: when the attempt that runs then hears of it.
        choices: asked where two things are at one instant.
        departures: of the worker, in their order.
    """

    def __init__(
        self, cancel_at: float | None, heard: Heard, choices: Choices, departures: Sequence[Departure] = ()
    ) -> None:
        self.now = 0.0
        self._cancel_at = cancel_at
        self._late = heard == "next_heartbeat"
        self._runs = False
        self._choices = choices
        self._departures = departures
        self._cut = inf
        self._silently = False
        self._began = 0.0
        self._told: list[float] = []

    def passes(self, seconds: float) -> None:
        """Let so many seconds pass.

        Raises:
            Cancelled: the user cancelled before they were over.
            WorkerLeft: the attempt's worker left before they were over.
        """
        until = self.now + seconds
        cancel = self._heard_at
        if self._cut < inf and abs(cancel - self._cut) <= SAME:
            raise Undecided("a cancel at the instant at which a worker leaves")
        if self._late and self._runs and self._is_cancel(cancel) and cancel <= until + SAME:
            raise Undecided("a cancel at the instant of a heartbeat")
        if cancel < min(until - SAME, self._cut):
            self.now = max(self.now, cancel)
            raise Cancelled
        at_once = abs(self._cut - until) <= SAME
        if self._cut < until - SAME or (at_once and self._choices.either("goes on", "is cut off") == "is cut off"):
            self.now = max(self.now, self._cut)
            raise WorkerLeft(silently=self._silently)
        self.now = until

    def begins(self) -> None:
        """Begin an attempt, once there is a worker for it.

        Raises:
            Cancelled: the user cancelled before there was one.
        """
        self.ends()
        for each in self._departures:
            at_once = abs(self.now - each.at) <= SAME
            if not at_once and self.now >= each.back_at - SAME:
                continue
            if self.now < each.at - SAME or (at_once and self._choices.either("gone", "there") == "there"):
                self._silently = each.drain_s is None
                self._cut = each.at + (each.drain_s or 0.0)
                break
            self.passes(max(0.0, each.back_at - self.now))
            self.point()
        self._began, self._told = self.now, []
        self._runs = True

    def ends(self) -> None:
        """End the attempt: no worker is needed until the next one."""
        self._cut = inf
        self._runs = False

    def heeds(self) -> None:
        """Heed, where an attempt has ended, a cancel that it has not heard of.

        Raises:
            Unheard: there is one.
        """
        if self._late and self._has_come():
            raise Unheard

    def beats(self) -> None:
        """Say that the attempt tells of itself now, beside its regular heartbeats.

        Raises:
            Cancelled: it is told of the cancel in turn.
        """
        self._told.append(self.now)
        if abs(self._goes_out(self.now) - self.now) <= SAME and self._late and self._has_come():
            raise Cancelled

    def knows(self, told: float) -> bool:
        """Say whether Temporal knows, at the death of the worker which is now, what it was told at that instant.

        What it is told at the instant of a regular heartbeat may be in that one, or in the next that is sent.
        """
        known = self._goes_out(told)
        if abs(known - told) > SAME:
            return known < self.now - SAME
        beside = abs((told - self._began) / BEAT - round((told - self._began) / BEAT)) * BEAT <= SAME
        if beside and self._goes_out(told + 2 * SAME) >= self.now - SAME:
            return self._choices.either("in this heartbeat", "in the next") == "in this heartbeat"
        return True

    def _goes_out(self, at: float) -> float:
        return next(each for each in self._sent if each >= at - SAME)

    def is_missed(self, start_to_close: float) -> bool:
        """Let time pass until the server misses the attempt, whose worker has died.

        Returns whether it is for want of heartbeats, and not as the attempt's time is over.

        Raises:
            Undecided: the user cancels meanwhile.
        """
        self.ends()
        silent = max(takewhile(lambda at: at < self.now - SAME, self._sent), default=self._began) + SILENCE
        missed = min(silent, self._began + start_to_close)
        if self._cancel_at is not None and self._cancel_at <= missed + SAME:
            raise Undecided("a cancel of an attempt that nobody knows to be dead")
        self.now = missed
        return silent <= missed

    def point(self) -> None:
        """Say that something else happens now: a cancel at this instant may come before it, or after.

        Raises:
            Cancelled: it came before.
        """
        if self.cancelled_now and self._choices.either("after", "before") == "before":
            raise Cancelled

    @property
    def cancelled_now(self) -> bool:
        """Whether the cancel comes to what goes on at this very instant."""
        return abs(self._heard_at - self.now) <= SAME

    @property
    def _heard_at(self) -> float:
        """When what goes on hears of the cancel: at once where no attempt runs, else as the plan says."""
        if self._cancel_at is None:
            return inf
        if not (self._late and self._runs):
            return self._cancel_at
        return self._goes_out(self._cancel_at)

    @property
    def _sent(self) -> Iterator[float]:
        return sent(self._began, self._told)

    def _has_come(self) -> bool:
        """Say whether the user has cancelled.

        Raises:
            Undecided: it is at this very instant.
        """
        if self._is_cancel(self.now):
            raise Undecided("a cancel at the instant of an attempt's word to Temporal")
        return self._cancel_at is not None and self._cancel_at < self.now

    def _is_cancel(self, at: float) -> bool:
        return self._cancel_at is not None and abs(self._cancel_at - at) <= SAME
