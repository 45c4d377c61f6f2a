"""One Locust process's part of a run: starts its arrivals on time, keeps their records, sends them to the master.

Everything here runs on gevent. The plan comes from the environment (`loadtests.plan.VARIABLE`).
"""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import gevent
from gevent.event import Event
from gevent.pool import Pool
from geventhttpclient.response import HTTPParseError
from locust.runners import WorkerRunner

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


class Session:
    """Requests to the gateway by Locust's fast client, counted in its statistics."""

    def __init__(self, client: Any, plan: Plan) -> None:
        self._session = client
        self._headers = {"X-API-Key": plan.api_key} if plan.api_key else {}

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

    def now(self) -> float:
        """Return Unix seconds."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Let others run meanwhile."""
        gevent.sleep(seconds)


class Generator:
    """The arrivals of one Locust process, and the records of them all."""

    def __init__(self, environment: Any, client: Any, plan: Plan, index: int) -> None:
        self._plan = plan
        self._mix: Mix = environment.mix
        self._http = Session(client, plan)
        self._environment = environment
        self._controls = {service: Control(url) for service, url in plan.fakes.items()}
        self._pool = Pool(plan.most_running)
        self._index = index
        self._records: dict[int, Record] = {}
        """Those that were not yet reported."""
        self._dropped = 0
        self._stop: Event = environment.stop
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
        return bool(self._stop.wait(max(0.0, instant - time.time())))

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
        gevent.sleep(max(0.0, self._begun - time.time()))
        while time.time() < self._begun + self._plan.seconds:
            self._one(number, time.time())
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
                gevent.sleep(max(0.0, due - time.time()))
                live(self._http, case, record, key, self._plan.patience_s)
        except ControlError as error:  # without its faults it would be another try-on
            record.outcome, record.code = "not started", str(error)
        self._count(case, record)

    def _count(self, case: Case, record: Record) -> None:
        """Show the transaction in Locust's own statistics, web page included."""
        self._environment.events.request.fire(
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
        message = {
            "index": self._index,
            "begun": self._begun,
            "records": [record.as_json() for record in over],
            "in_flight": len(self._records),
            "dropped": self._dropped,
            "left_out": list(self._mix.left_out),
            "last": last,
        }
        runner = self._environment.runner
        if isinstance(runner, WorkerRunner):
            runner.send_message("tryons", message)
        else:
            self._environment.collector.take(message)


class Collector:
    """Takes the reports of all generators and writes the records down, one line each; progress goes to stdout."""

    def __init__(self, plan: Plan) -> None:
        self._generators = plan.generators
        self._run = plan.run
        self.stopped: float | None = None
        """When the run was interrupted, in Unix seconds."""
        self._reports: dict[int, dict[str, Any]] = {}
        self._file = plan.records.open("w", encoding="utf-8")
        self._written = 0

    @property
    def complete(self) -> bool:
        """Whether every generator has sent its last report."""
        return sum(bool(report["last"]) for report in self._reports.values()) == self._generators

    def take(self, message: dict[str, Any]) -> None:
        """Take one report of one generator."""
        for line in message.pop("records"):
            self._file.write(line + "\n")
            self._written += 1
        self._file.flush()
        self._reports[message["index"]] = message
        in_flight = sum(report["in_flight"] for report in self._reports.values())
        dropped = sum(report["dropped"] for report in self._reports.values())
        print(json.dumps({"ended": self._written, "in_flight": in_flight, "dropped": dropped}), flush=True)

    def close(self) -> None:
        """Write what the report needs besides the records, as the last line."""
        reports = self._reports.values()
        end: dict[str, Any] = {
            "begun": min((report["begun"] for report in reports), default=None),
            "left_out": next((report["left_out"] for report in reports), []),
            "complete": self.complete,
            "run": self._run,
            "stopped": self.stopped,
        }
        self._file.write(json.dumps(end) + "\n")
        self._file.close()
        if not self.complete:
            print("a load generator sent no last report: its records are missing", file=sys.stderr)
