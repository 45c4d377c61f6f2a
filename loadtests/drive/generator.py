"""One process's share of a run: starts its arrivals on time, keeps their records, hands them on.

Everything here runs on gevent.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import gevent
from gevent.event import Event
from gevent.pool import Pool
from geventhttpclient.response import HTTPParseError

from fakes.kit.client import Control, ControlError
from loadtests.arrivals import arrivals, share
from loadtests.drive.tryon import Answer, live, rules
from loadtests.mix import Case, Mix
from loadtests.plan import Plan
from loadtests.record import Record

LEAD_S = 1.0
"""So long before its arrival a try-on's faults are set."""
REPORT_S = 1.0
"""Between two lines of progress."""


class Clock:
    """Unix seconds by the clock of whoever leads the run, which nobody can set meanwhile.

    `ahead_s` is how far this machine's own clock is ahead of that one.
    """

    def __init__(self, ahead_s: float = 0.0) -> None:
        self._zero = time.time() - ahead_s - time.perf_counter()

    def now(self) -> float:
        """Return the instant."""
        return self._zero + time.perf_counter()


class Session:
    """Requests to the gateway by Locust's fast client, counted in its statistics."""

    def __init__(self, client: Any, clock: Clock, api_key: str | None) -> None:
        self._session = client
        self._headers = {"X-API-Key": api_key} if api_key else {}
        self.now = clock.now

    def send(self, method: str, path: str, name: str, body: bytes = b"", key: str | None = None) -> Answer:
        """Send one request. What cannot be answered is an answer with status 0."""
        headers = dict(self._headers)
        if body:
            headers["Content-Type"] = "application/json"
        if key:
            headers["Idempotency-Key"] = key
        began = time.perf_counter()
        response = self._session.request(method, path, name=name, data=body or None, headers=headers)
        return Answer(response.status_code or 0, response.content or b"", time.perf_counter() - began)

    def events(self, path: str, name: str) -> Iterator[str]:
        """Yield the lines of an event stream as they come."""
        response = self._session.get(path, name=name, stream=True, headers=self._headers)
        if response.status_code != 200:
            raise ConnectionError(f"the stream was answered with {response.status_code}")
        raw = response._response  # noqa: SLF001 - Locust's own iter_lines waits for a kilobyte
        try:
            while line := raw.readline(b"\n"):
                yield line.decode().strip()
        except (OSError, HTTPParseError) as error:  # the connection broke
            raise ConnectionError(str(error)) from error
        finally:
            response.release()

    def sleep(self, seconds: float) -> None:
        """Let others run meanwhile."""
        gevent.sleep(seconds)


class Generator:
    """The arrivals of one process, and the records of them all; `hand_on` gets its reports, one a second."""

    def __init__(
        self,
        plan: Plan,
        mix: Mix,
        client: Any,
        *,
        stop: Event,
        count: Callable[..., None],
        hand_on: Callable[[dict[str, Any]], None],
        index: int = 0,
        clock: Clock | None = None,
    ) -> None:
        self._plan = plan
        self._mix = mix
        self._clock = clock or Clock()
        self._http = Session(client, self._clock, plan.api_key)
        self._controls = {service: Control(url) for service, url in plan.fakes.items()}
        self._pool = Pool(plan.most_running)
        self._index = index
        self._count_request = count
        self._hand_on = hand_on
        self._records: dict[int, Record] = {}
        """Those whose end was not yet reported."""
        self._reported: set[int] = set()
        """Those of them whose beginning was."""
        self._dropped = 0
        self._stop = stop
        self._begun = 0.0

    def run(self, begun: float) -> None:
        """Generate the load to its end, or until it is stopped; returns when every record has been handed on."""
        self._begun = begun
        reporter = gevent.spawn(self._report_until_killed)
        if self._plan.model == "open":
            self._open()
        else:
            self._closed()
        gevent.wait([gevent.spawn(self._pool.join), self._stop], count=1, timeout=self._plan.drain_s)
        self._pool.kill(block=True, timeout=5)
        reporter.kill()
        self._report(last=True)
        reporter.get()  # raises what it died of, if it did

    def _stopped_before(self, instant: float) -> bool:
        """Wait for an instant, in Unix seconds, unless the run is stopped before."""
        return bool(self._stop.wait(max(0.0, instant - self._clock.now())))

    def _open(self) -> None:
        plan = self._plan
        planned = arrivals(plan.shape, plan.rate, plan.seconds, plan.seed)
        for number, offset in share(planned, self._index, plan.generators):
            due = self._begun + offset
            if self._stopped_before(due - LEAD_S):
                return
            if self._pool.full():
                self._dropped += 1
                self._records[number] = Record(number, self._case(number).name, due, outcome="dropped")
            else:
                self._pool.spawn(self._one, number, due)
        self._stopped_before(self._begun + plan.seconds)

    def _closed(self) -> None:
        plan, mine = self._plan, range(self._index, self._plan.users, self._plan.generators)
        for user in mine:
            self._pool.spawn(self._user, user)
        self._stopped_before(self._begun + plan.seconds)

    def _user(self, user: int) -> None:
        number = user
        gevent.sleep(max(0.0, self._begun - self._clock.now()))
        while self._clock.now() < self._begun + self._plan.seconds:
            self._one(number, self._clock.now())
            number += self._plan.users
            gevent.sleep(self._plan.think_s)

    def _case(self, number: int) -> Case:
        return self._mix.choose(self._plan.seed, number)

    def _one(self, number: int, due: float) -> None:
        case = self._case(number)
        record = self._records[number] = Record(number, case.name, due)
        key = f"load-{self._plan.run}-{number}"
        record.workflow_id = self._plan.workflow_id(key)
        try:
            with rules(case, record.workflow_id, self._put_rule, self._drop_rule):
                gevent.sleep(max(0.0, due - self._clock.now()))
                live(self._http, case, record, key, self._plan.patience_s)
        except ControlError as error:  # without its faults it would be another try-on
            record.outcome, record.code = "not started", str(error)
        self._count(case, record)

    def _count(self, case: Case, record: Record) -> None:
        """Show the transaction in Locust's own statistics, web page included."""
        self._count_request(
            request_type="TRYON",
            name=case.name,
            response_time=1000 * (record.seconds or 0),
            response_length=record.received,
            exception=None if record.right else RuntimeError(f"{record.outcome} {record.code or ''}".strip()),
            context={},
        )

    def _put_rule(self, service: str, rule: dict[str, Any]) -> None:
        self._controls[service].add(rule)

    def _drop_rule(self, service: str, rule_id: str) -> None:
        with suppress(ControlError):
            self._controls[service].remove(rule_id)

    def _report_until_killed(self) -> None:
        while True:
            gevent.sleep(REPORT_S)
            self._report()

    def _report(self, *, last: bool = False) -> None:
        over = [record for record in self._records.values() if last or record.outcome != "censored"]
        for record in over:
            del self._records[record.number]
            self._reported.discard(record.number)
        started = [
            record for record in self._records.values() if record.started and record.number not in self._reported
        ]
        self._reported.update(record.number for record in started)
        self._hand_on(
            {
                "index": self._index,
                "started": [record.as_json() for record in started],
                "records": [record.as_json() for record in over],
                "in_flight": len(self._records),
                "dropped": self._dropped,
                "last": last,
            }
        )
