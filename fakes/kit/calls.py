"""One call to a fake: what it asks for, who calls, by whose clock, and what goes back on the wire."""

import asyncio
import enum
import hashlib
import json
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from http import HTTPStatus

from .ledger import Entry, Hit

Headers = list[tuple[bytes, bytes]]


def draw(*parts: object) -> float:
    """Return a number in [0, 1) that depends on the parts alone, never on the order in which calls arrive."""
    digest = hashlib.blake2b("\x1f".join(map(str, parts)).encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) / (1 << 53)


@dataclass(frozen=True, slots=True)
class Operation:
    """What a service can be asked to do, under the name that rules use."""

    name: str
    method: str
    path: str
    """As /jobs/{job_id}: a `{parameter}` stands for anything but a slash, a `{parameter:path}` for anything."""
    makes: str = ""
    """The kind of picture that its answer leads to. Faults of pictures need one."""
    job: str = ""
    """Its part in a job: "submit", "poll" or none. Faults of jobs need one."""
    works: bool = False
    """It takes a slot and a service time of the capacity model, by `Simulated.takes`."""
    fields: frozenset[str] | None = None
    """The fields of its JSON answer, for faults of contract. None: those of the application's OpenAPI, or unknown."""
    asks: frozenset[str] | None = None
    """The fields of its JSON request, for a rule's `body`. None: as above."""
    timed: bool = True
    """The profile gives its work a time, which can be multiplied."""


class Ending(enum.Enum):
    """How an answer leaves the fake."""

    WHOLE = "whole"
    CUT = "cut"
    """The first half of the body under the full Content-Length, then the connection closes."""
    CLOSE = "close"
    """The connection closes without one byte of an answer."""
    RESET = "reset"
    """A TCP RST in place of an answer."""
    SILENCE = "silence"
    """No answer for as long as the caller waits."""


@dataclass(slots=True)
class Answer:
    """A complete answer, and how it is sent. `pace` is (bytes, seconds) for a body in dribbles."""

    status: int
    body: bytes
    headers: Headers
    ending: Ending = Ending.WHOLE
    pace: tuple[int, float] | None = None
    head_pace: tuple[int, float] | None = None
    """The same for the headers."""

    @classmethod
    def of_json(cls, status: int, value: object, headers: Mapping[str, str] | None = None) -> "Answer":
        """Return an answer with a JSON body."""
        extra = [(name.lower().encode(), text.encode()) for name, text in (headers or {}).items()]
        return cls(status, json.dumps(value).encode(), [(b"content-type", b"application/json"), *extra])

    def head(self) -> bytes:
        """Return the status line and the headers as they stand on the wire, for who sends them by hand."""
        lines = [b"HTTP/1.1 %d %s" % (self.status, HTTPStatus(self.status).phrase.encode())]
        headers = [*self.without(b"content-length"), (b"content-length", b"%d" % len(self.body))]
        return b"\r\n".join([*lines, *(b"%s: %s" % pair for pair in headers), b"connection: close", b"", b""])

    def without(self, *names: bytes) -> Headers:
        """Return the headers but those named, in lower case."""
        return [(name, value) for name, value in self.headers if name.lower() not in names]


@dataclass(slots=True)
class Call:
    """One call, as faults and handlers see it. Instants are Unix seconds, durations seconds."""

    service: str
    operation: Operation
    key: str
    number: int
    """Counts from 1 for each key and operation."""
    attempt: int | None
    now: float
    """The caller's time."""
    virtual: bool
    """The caller sent its own time: nothing waits, and delays are answered as X-Sim-Elapsed."""
    scale: float
    seed: int = 0
    """SIM_SEED."""
    elapsed: float = 0.0
    """What a virtual call took so far."""
    longest_pause: float | None = None
    """The longest silence within it, which a read timeout counts. None: all of it."""
    entry: Entry | None = None
    """Its place in the ledger; None without SIM_ENABLED."""
    hits: tuple[Hit, ...] = ()
    """The rules that it met, in the order in which they were loaded."""
    acting: Hit | None = None
    """The one whose fault is at work: if it has the caller wait, that is noticed."""
    transport: asyncio.Transport | None = None
    """The connection; None under another server than the kit's."""
    keep: Callable[[Answer], str] = str
    """Keeps an answer for later; returns the path, with a token, at which a GET finds it."""

    async def wait(self, seconds: float) -> None:
        """Let so many seconds pass for the caller: claimed in virtual time, scaled and waited in real time."""
        if seconds <= 0:
            return
        if self.acting is not None:
            self.acting.act()
        if self.virtual:
            self.elapsed += seconds
        else:
            if self.entry is not None:
                self.entry.intended_s += seconds * self.scale
            await asyncio.sleep(seconds * self.scale)

    def draw(self, purpose: str) -> float:
        """Return a number in [0, 1) for a purpose of this call: the same for the same seed."""
        return draw(self.seed, purpose, self.service, self.key, self.operation.name, self.number)

    def later(self, seconds: float) -> float:
        """Return the caller's time so many seconds of service from now."""
        return self.now + (seconds if self.virtual else seconds * self.scale)


CURRENT: ContextVar[Call] = ContextVar("call")
"""The call that is answered: a handler of any framework finds it, in a thread and in a task too."""


def this_call() -> Call:
    """Return the call that the handler answers.

    Raises:
        LookupError: no call of an operation is under way.
    """
    return CURRENT.get()
