"""A signal ends a command wherever it meets it: in a wait, in code that catches errors, where Python ignores them."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from scenarios.processes.signals import AGAIN_S, SIGNALS, Stopped, stopped_by_signals, until_signalled


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


def where_everything_is_caught() -> None:
    with suppress(BaseException):  # as libraries written in C do with whatever was raised while they looked
        signal.raise_signal(signal.SIGTERM)


def in_an_event_loop() -> None:
    async def waits() -> None:
        asyncio.get_running_loop().call_soon(signal.raise_signal, signal.SIGTERM)
        await asyncio.sleep(60)

    asyncio.run(waits())


PLACES = [
    in_a_wait,
    in_a_finalizer,
    in_a_callback_of_a_weak_reference,
    where_errors_are_caught,
    where_everything_is_caught,
    in_an_event_loop,
]


@pytest.mark.parametrize("met", PLACES)
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


def test_cleaning_up_is_left_in_peace() -> None:
    cleaned: list[str] = []

    @contextmanager
    def something_started() -> Iterator[None]:
        try:
            yield
        finally:
            threading.Event().wait(4 * AGAIN_S)
            with suppress(ValueError):
                try:
                    raise ValueError("it was gone already")
                finally:
                    threading.Event().wait(4 * AGAIN_S)
            cleaned.append("context")

    async def waits() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(4 * AGAIN_S)
            cleaned.append("task")

    with pytest.raises(Stopped), stopped_by_signals(), something_started():  # noqa: PT012 - as above
        in_a_wait()
        asyncio.run(waits())
    assert cleaned == ["task", "context"]


def test_what_has_caught_it_may_go_on_within_the_block() -> None:
    summed_up = False
    with stopped_by_signals():
        try:
            signal.raise_signal(signal.SIGTERM)
        except Stopped as stopped:
            stopped.heard()
        summed_up = not threading.Event().wait(4 * AGAIN_S)
    assert summed_up


async def test_a_command_gets_its_handlers_back_after_its_work() -> None:
    async def work() -> int:
        return 7

    before = [signal.getsignal(number) for number in SIGNALS]
    assert await until_signalled(work(), lambda: None) == 7
    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_other_errors_that_python_ignores_are_told_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    told = []
    monkeypatch.setattr(sys, "unraisablehook", lambda ignored: told.append(str(ignored.exc_value)))

    class Breaks:
        def __del__(self) -> None:
            raise ValueError("broken")

    with stopped_by_signals("it ends"):
        Breaks()
    assert told == ["broken"]


def test_who_reads_the_output_may_go_before_it_is_done() -> None:
    reader, writer = os.pipe()
    with os.fdopen(writer, "wb") as output:
        os.close(reader)
        listing = [sys.executable, "-m", "scenarios", "run", "--list"]
        ended = subprocess.run(listing, stdout=output, stderr=subprocess.PIPE, check=False)
    assert (ended.returncode, ended.stderr) == (128 + signal.SIGPIPE, b"")
