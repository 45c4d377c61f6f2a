"""One try-on as one transaction: submit, follow to the end, fetch the result. What happened is written in a record.

Times are counted from the intended start: a try-on that could not start in time has waited, and its record says so.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Protocol

from loadtests.mix import Case

POLL_S = {"poll": 1.0, "impatient": 0.2}
WAIT_S = 20
BETWEEN_ERRORS_S = 1.0
CANCELLED_OR_ENDED = (200, 409)
"""How a cancel may be answered: 409 says that the try-on has ended already."""

Outcome = Literal["completed", "failed", "refused", "cancelled", "timeout", "censored", "dropped", "not started"]
"""`dropped`: too many were running when it was to start. `not started`: its faults could not be set in the fakes."""


Endpoint = Literal["start", "status", "long poll", "events", "cancel"]
"""Status calls that wait for the end, `?wait=`, are long polls: they take long on purpose."""


@dataclass(slots=True)
class Record:
    """What became of one try-on. Instants are Unix seconds, None while they have not come; durations are seconds.

    Attributes:
        number: its place in the plan.
        case: the case's name.
        intended, started, accepted, ended: when it was to start, its POST was sent, was answered, and its end was seen.
        outcome: `censored` until its end was seen, or it turned out that it does not start.
        right: whether the outcome is one that the scenario calls right.
        code: of a failure or a refused start; its HTTP status when it says no code, "no answer" when nothing came back;
            "no result" of a try-on that completed without one.
        requests: how long each request took by endpoint, failed ones too; of a stream of events, until its first line.
        failures: how many of them were not answered as they should be.
        steps: when each step was first seen in the stream of events, in seconds after the intended start.
        sent, received: bytes of bodies.
    """

    number: int
    case: str
    intended: float
    workflow_id: str = ""
    started: float | None = None
    accepted: float | None = None
    ended: float | None = None
    outcome: Outcome = "censored"
    right: bool = False
    code: str | None = None
    requests: dict[Endpoint, list[float]] = field(default_factory=dict)
    failures: dict[Endpoint, int] = field(default_factory=dict)
    steps: dict[str, float] = field(default_factory=dict)
    sent: int = 0
    received: int = 0

    @property
    def seconds(self) -> float | None:
        """From the intended start to the end, None while it runs."""
        return None if self.ended is None else self.ended - self.intended

    def was_running(self, at: float) -> bool:
        """Say whether it was due and had not ended at an instant."""
        due = self.intended < at and self.outcome not in ("dropped", "not started")
        return due and (self.ended is None or self.ended >= at)

    def asked(self, endpoint: Endpoint, seconds: float, *, well: bool) -> None:
        """Write down one request."""
        self.requests.setdefault(endpoint, []).append(round(seconds, 6))
        if not well:
            self.failures[endpoint] = self.failures.get(endpoint, 0) + 1

    def as_json(self) -> str:
        """Return the record as one line of JSON."""
        return json.dumps(asdict(self), separators=(",", ":"))


@dataclass(frozen=True)
class Answer:
    """What came back. `status` is 0 when nothing did."""

    status: int
    body: bytes
    seconds: float

    def json(self) -> dict[str, Any]:
        """Return the body's fields; none when it is no JSON object."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}


class Http(Protocol):
    """The caller's side: requests to one gateway, and time."""

    def send(self, method: str, path: str, name: str, body: bytes = b"", key: str | None = None) -> Answer:
        """Send a request that statistics call by this name; `key` is its Idempotency-Key."""
        ...

    def events(self, path: str, name: str) -> Iterator[str]:
        """Yield the lines of a stream. It may end early, and raises ConnectionError when it cannot be opened."""
        ...

    def now(self) -> float:
        """Return Unix seconds."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class _OutOfPatienceError(Exception):
    pass


def live(http: Http, case: Case, record: Record, key: str, patience_s: float) -> None:
    """Live one try-on from its POST to its end, and keep the record up to date all the while.

    The key is sent as Idempotency-Key: the client may then send the POST again on a broken connection.
    """
    record.started = http.now()
    record.sent = len(case.body)
    answer = http.send("POST", "/workflow/start", "start", case.body, key)
    record.asked("start", answer.seconds, well=answer.status == 202)
    if answer.status != 202:
        _end(record, http, case, "refused" if 400 <= answer.status < 500 else "failed", _code(answer))
        return
    record.accepted = http.now()
    record.workflow_id = str(answer.json().get("workflowId"))
    try:
        state = _follow(http, case, record, record.intended + patience_s)
    except _OutOfPatienceError:
        _end(record, http, case, "timeout", None)
        return
    outcome, code = state["status"].lower(), (state.get("error") or {}).get("code")
    if outcome == "completed" and "result" not in state:
        code = "no result"
    _end(record, http, case, outcome, code)


def _code(answer: Answer) -> str:
    error = answer.json().get("error")
    said = error.get("code") if isinstance(error, dict) else None
    return str(said or answer.status or "no answer")


def _end(record: Record, http: Http, case: Case, outcome: Outcome, code: str | None) -> None:
    record.ended = http.now()
    record.outcome, record.code = outcome, code
    record.right = case.calls_right(outcome, code, accepted=record.accepted is not None) and not (
        record.failures.get("cancel")
    )


def _follow(http: Http, case: Case, record: Record, until: float) -> dict[str, Any]:
    """Return the last answer of the status, which has the result."""
    path = f"/workflow/{record.workflow_id}"
    cancel_after = case.entry.cancel_after_s
    if cancel_after is not None:
        http.sleep(cancel_after)
        answer = http.send("POST", f"{path}/cancel", "cancel")
        record.asked("cancel", answer.seconds, well=answer.status in CANCELLED_OR_ENDED)
    elif case.entry.follow == "events":
        _watch(http, record, path, until)
    waits = case.entry.follow == "wait"
    endpoint: Endpoint = "long poll" if waits else "status"
    while True:
        if http.now() >= until:
            raise _OutOfPatienceError
        answer = http.send("GET", f"{path}?wait={WAIT_S}" if waits else path, endpoint)
        record.received += len(answer.body)
        state = answer.json()
        told = answer.status == 200 and "status" in state
        record.asked(endpoint, answer.seconds, well=told)
        if not told:
            http.sleep(BETWEEN_ERRORS_S)
            continue
        if state["status"] != "RUNNING":
            return state
        if not waits:
            http.sleep(POLL_S.get(case.entry.follow, 1.0))


def _watch(http: Http, record: Record, path: str, until: float) -> None:
    """Read the stream of events to its end; a stream that breaks off leaves the rest to the polls."""
    began, opened, broken = http.now(), None, False
    try:
        for line in http.events(f"{path}/events", "events"):
            opened = opened or http.now() - began
            record.received += len(line)
            if line.startswith("data:"):
                state = Answer(200, line[5:].encode(), 0).json()
                step = state.get("currentStep")
                if step and step not in record.steps:
                    record.steps[step] = round(http.now() - record.intended, 4)
                if state.get("status") not in (None, "RUNNING"):
                    return
            if http.now() >= until:
                raise _OutOfPatienceError
    except ConnectionError:
        broken = True
    finally:
        record.asked("events", http.now() - began if opened is None else opened, well=not broken)


@contextmanager
def rules(
    case: Case, key: str, put: Callable[[str, dict[str, Any]], None], drop: Callable[[str, str], None]
) -> Iterator[None]:
    """Set a case's faults for one workflow, and take them away afterwards."""
    made = []
    try:
        for number, rule in enumerate(case.scenario.rules):
            made.append((rule.service, f"load-{key}-{number}"))
            put(rule.service, rule.as_rule(made[-1][1], key))
        yield
    finally:
        for service, rule_id in made:
            drop(service, rule_id)
