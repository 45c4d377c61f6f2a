"""The blob store, as the worker sees it: one call, and the patience with which results are read and stored."""

from collections.abc import Callable
from dataclasses import dataclass

from scenarios.model.calls import AttemptUnderWay, Failure, Telling, begin, capped, wait
from scenarios.model.choices import Undecided
from scenarios.model.faults import BROKEN, NEVER_ASKED, UNREACHED, Reply
from scenarios.model.numbers import STORE_BREAKS, STORE_PAUSES, STORE_READS, STORE_SILENCE, STORE_TRIES, STORE_TRY

UNAVAILABLE = "AZURE_UNAVAILABLE"
TIMEOUT = "AZURE_TIMEOUT"
REJECTED = "AZURE_REJECTED"
NOT_FOUND = "AZURE_NOT_FOUND"
BAD = "AZURE_BAD_ANSWER"
REFUSED = {400, 401, 403, 405, 409, 411, 412, 413, 415}
"""Statuses after which the same request would be refused again."""
KNOWN = {408, 429, 500, 502, 503, 504}
OF_A_BODY = {"garbage", "truncate", "dribble", "content_type", "extra_field", "blob_size"}
LATE = {"delay", "slow_upload", "cold_start"}
REFUSALS = {"status", "container_being_deleted", "container_missing", "key_not_permitted", "clock_skew"}
WIDE = 2**26
"""Bytes that are more than those of any photo (docs/api.md) or result (docs/exploring.md) that is taken."""
READ_ON_PAUSE = 1.0
"""Seconds that the store's client waits, by itself, before it reads on."""


class WrongSize(Failure):
    """A blob has no byte, or more than anybody takes."""

    def __init__(self) -> None:
        super().__init__(BAD)


@dataclass
class _Try:
    pieces: int
    breaks: int = 0
    cuts: int = 0
    emptied: bool = False


def blob(telling: Telling, operation: str, limit: float, pieces: int = 1) -> None:
    """Read or write one blob, as the store's client does it with its libraries: each piece by a request of its own.

    Raises:
        Failure: one of the Azure errors.
        Undecided: the fault is none that the store has.
    """
    for _ in range(pieces):
        state = _Try(pieces)
        while not _once(telling, operation, limit, state):
            pass


def _once(telling: Telling, operation: str, limit: float, state: _Try) -> bool:
    """Make one request; return whether that was all."""
    met = begin(telling, None, "blob", operation, limit=limit, late=TIMEOUT)
    if operation != "get":
        met = tuple(each for each in met if each.kind not in OF_A_BODY)  # one that is not there cannot be damaged
    kind = next((each.kind for each in met if each.kind not in LATE), None)
    if len([each for each in met if each.kind not in LATE]) > 1:
        raise Undecided("an error of the store that is damaged")
    reply = telling.services.answer(met, {})
    silent = (reply.after if reply.silence is None else reply.silence) > STORE_SILENCE
    wait(telling, STORE_SILENCE if silent else reply.after, limit, TIMEOUT)
    if silent:
        raise Failure(TIMEOUT)
    if kind == "truncate":
        state.cuts += 1
        state.breaks = 0  # it reads on with a request of its own
        if state.cuts == STORE_READS:
            raise Failure(UNAVAILABLE)
        wait(telling, READ_ON_PAUSE, limit, TIMEOUT)
        return False
    if reply.how == BROKEN:
        state.breaks += 1
        if state.breaks == STORE_BREAKS:
            raise Failure(UNAVAILABLE)
        return False
    if kind == "blob_size" and not state.emptied:
        return _sized(next(each.fault.get("bytes", 0) for each in met if each.kind == kind), state)
    _judge(operation, reply, kind)
    if state.emptied:
        raise WrongSize
    return True


def _sized(size: int, state: _Try) -> bool:
    """Read the first piece of a blob of another size. Of one without a byte there is none: it is asked for whole."""
    if 0 < size < WIDE or state.pieces > 1:
        raise Undecided("a blob that is read on, or is asked for whole, and has not as many bytes")
    if size:
        raise WrongSize
    state.emptied = True
    return False


def _judge(operation: str, reply: Reply, kind: str | None) -> None:
    if reply.how in NEVER_ASKED:
        raise Failure(TIMEOUT if reply.how == UNREACHED else UNAVAILABLE, offline=True)
    if kind in {None, "dribble", "slow_headers", "content_type", "blob_size"}:
        return
    if kind not in REFUSALS:
        raise Undecided(f"{kind} is no fault of a store")
    if reply.status == 404:
        raise Failure(NOT_FOUND, final=True)
    if reply.status in REFUSED:
        raise Failure(REJECTED, final=True)
    if reply.status in KNOWN:
        raise Failure(UNAVAILABLE, retry_after=capped(reply.retry_after))
    if reply.status == 200 and operation == "get":
        raise Failure(BAD)  # a blob is answered with its range: a proxy between said this
    raise Undecided(f"the store answers {reply.status}, which it never does")


def patiently(telling: Telling, step: AttemptUnderWay, operation: str, pieces: int = 1) -> None:
    """Read or store a result: five tries within the attempt, then final, so that the GPU is not asked again.

    Raises:
        Failure: one of the Azure errors.
    """
    for tried in range(1, STORE_TRIES + 1):
        try:
            return blob(telling, operation, min(telling.clock.now + STORE_TRY, step.end), pieces)
        except Failure as failure:
            if failure.final or failure.code == BAD:
                raise
            pause = STORE_PAUSES[min(tried, len(STORE_PAUSES)) - 1]
            seconds = pause if failure.retry_after is None else failure.retry_after
            if tried == STORE_TRIES or seconds >= step.end - telling.clock.now:
                raise Failure(failure.code, final=True) from None
            telling.clock.passes(seconds)
    raise AssertionError("the last try returns or raises")


def looked_at(
    telling: Telling,
    step: AttemptUnderWay,
    bad: str,
    refused: Callable[[], bool],
    *,
    hidden: bool = False,
    pieces: int = 1,
    final: bool = False,
) -> None:
    """Read a result and look at it. One that is hidden is read too, but no rule and no ledger knows whose it is.

    Raises:
        Failure: `bad`, when it is not there or is refused, `final` when it is; or an Azure error.
    """
    try:
        if not hidden:
            patiently(telling, step, "get", pieces)
    except WrongSize:
        raise Failure(bad) from None
    except Failure as failure:
        if failure.code == NOT_FOUND:
            raise Failure(bad) from None
        raise
    if refused():
        raise Failure(bad, final=final)
