"""A signal ends a command wherever it meets it: in a wait, in code that catches errors, where Python ignores them."""

import os
import signal
import sys
import threading
import weakref
from contextlib import suppress

import pytest

from scenarios.processes.signals import SIGNALS, Stopped, stopped_by_signals


class Finalized:
    """Is met by a signal as it goes, where Python ignores what is raised."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGTERM)


class Referenced:
    """May be looked at by a weak reference."""


def in_a_wait() -> None:
    threading.Timer(0.01, os.kill, [os.getpid(), signal.SIGTERM]).start()


def in_a_finalizer() -> None:
    Finalized()


def in_a_callback_of_a_weak_reference() -> None:
    seen = Referenced()
    reference = weakref.ref(seen, lambda _: signal.raise_signal(signal.SIGTERM))
    del seen
    assert reference() is None


def where_errors_are_caught() -> None:
    with suppress(Exception):  # as code does that lets nothing of somebody else's get out
        signal.raise_signal(signal.SIGTERM)


@pytest.mark.parametrize("met", [in_a_wait, in_a_finalizer, in_a_callback_of_a_weak_reference, where_errors_are_caught])
def test_it_ends_what_is_under_way(met: object, capfd: pytest.CaptureFixture[str]) -> None:
    assert callable(met)
    before = [signal.getsignal(number) for number in (*SIGNALS, signal.SIGALRM)], sys.unraisablehook
    ended = False
    with pytest.raises(Stopped) as stopped, stopped_by_signals("it ends"):  # noqa: PT012 - what goes on is the point
        try:
            met()
            threading.Event().wait(60)
        finally:
            ended = True
    assert ended
    assert stopped.value.exit_code == 128 + signal.SIGTERM
    assert capfd.readouterr().err == "it ends\n"
    assert ([signal.getsignal(number) for number in (*SIGNALS, signal.SIGALRM)], sys.unraisablehook) == before
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_other_errors_that_python_ignores_are_told_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    told = []
    monkeypatch.setattr(sys, "unraisablehook", lambda ignored: told.append(str(ignored.exc_value)))

    class Breaks:
        def __del__(self) -> None:
            raise ValueError("broken")

    with stopped_by_signals("it ends"):
        Breaks()
    assert told == ["broken"]
