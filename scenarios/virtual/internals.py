"""The one module that touches private parts of the SDK and of asyncio: each is named here.

Known with temporalio 1.35 and CPython 3.11, 3.12 and 3.13:

- `BaseEventLoop._run_once`, `_ready`, `_thread_id`: one turn of the loop, what is ready in it, whose thread it is;
- `Handle._context`: to which story something ready belongs;
- `BaseSelectorEventLoop._make_socket_transport`, `_SelectorSocketTransport._read_ready`, `_write_ready` (3.11),
  `_write_send` and `_write_sendmsg` (3.12 on), `_call_connection_lost`: the life of a connection;
- `Semaphore._value`: what a story's own semaphore begins with;
- `ThreadPoolExecutor._max_workers`: how many threads a worker was given;
- `Worker._bridge_worker`, `bridge.worker.Worker.complete_workflow_activation`, `initiate_shutdown`,
  `finalize_shutdown`: when the server has taken an answer, when a worker ends;
- `Worker._activity_worker`, `_ActivityWorker._handle_cancel_activity_task`, `_running_activities`: a cancellation that
  comes too late;
- `activity._CompleteAsyncError`: that an activity will be completed from elsewhere;
- `activity._Context.current`, `cancellation_details`, `cancelled_event`, `shield_thread_cancel_exception`: how code
  hears that its attempt is over;
- `temporalio.bridge.proto`: activations and commands, between the SDK's core and a workflow.
"""

import asyncio
import sys
import time
from asyncio import base_events, events, selector_events
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context
from importlib.metadata import version
from typing import Any

from temporalio import activity
from temporalio.bridge import worker as bridge
from temporalio.exceptions import CancelledError
from temporalio.worker import Worker
from temporalio.worker._activity import _ActivityWorker

from .errors import VirtualTimeError

_monotonic = time.monotonic  # the real one, whatever is patched later

KNOWN_PYTHON = ((3, 11), (3, 12), (3, 13))
KNOWN_SDK = "1.35"
FINAL_S = 5.0
"""Wall seconds that the SDK's core has to end, once all of its tasks have."""


def _check() -> None:
    wanted: list[tuple[object, str]] = [
        (base_events.BaseEventLoop, "_run_once"),
        (selector_events.BaseSelectorEventLoop, "_make_socket_transport"),
        (_socket_transport(), "_read_ready"),
        (_socket_transport(), "_call_connection_lost"),
        (_socket_transport(), "_write_ready" if sys.version_info < (3, 12) else "_write_sendmsg"),
        (events.Handle, "_context"),
        (asyncio.Semaphore(), "_value"),
        (activity, "_CompleteAsyncError"),
        (activity, "_Context"),
        (bridge.Worker, "complete_workflow_activation"),
        (bridge.Worker, "initiate_shutdown"),
        (bridge.Worker, "finalize_shutdown"),
        (_ActivityWorker, "_handle_cancel_activity_task"),
    ]
    missing = [f"{owner}.{name}" for owner, name in wanted if not hasattr(owner, name)]
    sdk = version("temporalio")
    known = sys.version_info[:2] in KNOWN_PYTHON and sdk.split(".")[:2] == KNOWN_SDK.split(".")
    if missing or not known:
        raise VirtualTimeError(
            f"virtual time knows Python 3.11 to 3.13 with temporalio {KNOWN_SDK}; this is Python "
            f"{sys.version_info[0]}.{sys.version_info[1]} with temporalio {sdk}"
            + (f", in which these are missing: {', '.join(missing)}" if missing else "")
            + ". Install a version that it knows, or try the tests of virtual time with this one and add it to "
            f"{__name__}."
        )


def _socket_transport() -> Any:
    return selector_events._SelectorSocketTransport  # type: ignore[attr-defined]  # noqa: SLF001 - see above


class TurningLoop(asyncio.SelectorEventLoop):
    """A selector loop that says when a turn begins, and lets its connections be watched.

    Attributes:
        stories: those that have timers; each can `advance()`.
    """

    stories: set[Any]

    def real_time(self) -> float:
        """Return the real time."""
        return _monotonic()

    def wake_at(self, when: float) -> None:
        """Turn once more at a real time."""
        super().call_at(when + 0.001, lambda: None, context=Context())

    def begin_turn(self) -> None:
        """Do what comes before a turn."""

    def watch(self, sock: Any, protocol: Any, waiter: Any, extra: Any, server: Any) -> Any:
        """Return the transport of a new connection."""
        raise NotImplementedError  # as asyncio's own loops say it: `VirtualLoop` overrides this

    def contexts_ready(self) -> list[Context]:
        """Return the context of each handle that is ready to run."""
        # Other threads append meanwhile: list() copies in one step, a loop over the deque itself would raise.
        return [handle._context for handle in list(self._ready)]  # type: ignore[attr-defined]  # noqa: SLF001

    def make_ready(self, handle: asyncio.Handle) -> None:
        """Run a handle in the next turn."""
        self._ready.append(handle)  # type: ignore[attr-defined]

    def is_own_thread(self, ident: int) -> bool:
        """Say whether a thread is the one that runs this loop."""
        return bool(self._thread_id == ident)  # type: ignore[attr-defined]

    def _run_once(self) -> None:
        self.begin_turn()
        super()._run_once()  # type: ignore[misc]

    def _make_socket_transport(
        self, sock: Any, protocol: Any, waiter: Any = None, *, extra: Any = None, server: Any = None
    ) -> Any:
        return self.watch(sock, protocol, waiter, extra, server)


class WatchedConnection(_socket_transport()):  # type: ignore[misc]
    """A connection that says when data comes, when all has been sent, and when it is over."""

    def data_comes(self) -> None:
        """Hear that there is something to read."""

    def sent(self) -> None:
        """Hear that some of what waited to be sent has been."""

    def is_lost(self) -> None:
        """Hear that it is over."""

    def _read_ready(self) -> None:
        self.data_comes()
        super()._read_ready()

    def _write_ready(self) -> None:  # 3.11
        super()._write_ready()
        self.sent()

    def _write_send(self) -> None:  # 3.12 on, where there is no sendmsg
        super()._write_send()
        self.sent()

    def _write_sendmsg(self) -> None:  # 3.12 on
        super()._write_sendmsg()
        self.sent()

    def _call_connection_lost(self, error: Any) -> None:
        self.is_lost()
        super()._call_connection_lost(error)


def value_of(semaphore: asyncio.Semaphore) -> int:
    """Return how often a semaphore may be acquired now."""
    return semaphore._value  # noqa: SLF001 - there is no public way


def threads_of(executor: ThreadPoolExecutor) -> int:
    """Return how many threads an executor may have."""
    return executor._max_workers  # noqa: SLF001 - there is no public way


def around_answers(worker: Worker, around: Callable[[Any, Callable[[Any], Awaitable[None]]], Awaitable[None]]) -> None:
    """Let `around` send what workflows answer to the server: it hears when one has been sent."""
    core: Any = worker._bridge_worker  # noqa: SLF001 - the SDK has no hook for it
    if core is None:
        return
    complete = core.complete_workflow_activation
    core.complete_workflow_activation = lambda completion: around(completion, complete)


def around_shutdown(worker: Worker, ends: Callable[[], None]) -> None:
    """Call `ends` before a worker shuts down, whatever it does so for; it may be called again.

    The SDK's core may wait for ever for its own last words when a task reaches it on its way out, as one does in a
    story more often than in life. After `FINAL_S` nobody waits for them; the SDK takes errors there for none.
    """
    core: Any = worker._bridge_worker  # noqa: SLF001 - the SDK has no hook for it
    if core is None:
        return
    initiate, finalize = core.initiate_shutdown, core.finalize_shutdown

    def shut_down() -> None:
        ends()
        initiate()

    core.initiate_shutdown = shut_down
    core.finalize_shutdown = lambda: asyncio.wait_for(finalize(), FINAL_S)


def drop_late_cancellations(worker: Worker) -> None:
    """Keep from a worker a cancellation that has crossed with its attempt's answer, as more do in a story than in life.

    The SDK would warn of it, and where warnings are errors its worker would die of that.
    """
    attempts: Any = worker._activity_worker  # noqa: SLF001 - the SDK has no hook for it
    if attempts is None:
        return
    cancel, running = attempts._handle_cancel_activity_task, attempts._running_activities  # noqa: SLF001
    attempts._handle_cancel_activity_task = (  # noqa: SLF001
        lambda token, task: cancel(token, task) if token in running else None
    )


def say_cancelled(why: activity.ActivityCancellationDetails) -> None:
    """Say to the code of the attempt whose context this is that it is cancelled, as the SDK does."""
    here = activity._Context.current()  # noqa: SLF001 - the SDK has no hook for it
    here.cancellation_details.details = why
    here.cancelled_event.set()
    if shielded := here.shield_thread_cancel_exception:
        shielded.__self__.raise_in_thread(CancelledError)  # type: ignore[attr-defined]


_check()

CompletesElsewhere: type[BaseException] = activity._CompleteAsyncError  # noqa: SLF001 - see above
"""What `activity.raise_complete_async` raises."""
