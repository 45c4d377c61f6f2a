"""One try-on as one transaction: submit, follow to the end, fetch the result. What happened is written in a record.

Times are counted from the intended start: a try-on that could not start in time has waited, and its record says so.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from loadtests.mix import Case
from loadtests.record import Endpoint, Outcome, Record

POLL_S = {"poll": 1.0, "impatient": 0.2}
WAIT_S = 20
BETWEEN_ERRORS_S = 1.0
CANCELLED_OR_ENDED = (200, 409)
"""How a cancel may be answered: 409 says that the try-on has ended already."""


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
