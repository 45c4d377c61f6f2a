"""A load worker's side: takes the plan from the master, prepares, and makes its share when the master says so.

Everything here runs on gevent, in a Locust process that `make load-worker` starts.
"""

import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gevent
import httpx
from gevent.event import Event
from pydantic import ValidationError

from loadtests.drive import messages
from loadtests.drive.generator import Clock, Generator
from loadtests.mix import Mix, MixError, read_mix
from loadtests.plan import Plan

OTHER_VERSION = "the master makes other try-ons of this plan: use one version on all machines"
HELLO_S = 0.5
"""Between two words to a master that has not answered."""
ANSWERS_S = 10.0
"""So long the gateway may take for its first answer."""


class CannotShareError(Exception):
    """This load worker cannot take its share; the message says why, and what to do."""


class Worker:
    """One load worker; `client` gives it Locust's HTTP client once the plan is known."""

    def __init__(self, environment: Any, client: Callable[[Plan], Any]) -> None:
        self._environment = environment
        self._runner = environment.runner
        self._client = client
        self._name = f"{socket.gethostname()}:{os.getpid()}"
        self._stop = Event()
        self._answered = False
        self._plan: Plan | None = None
        self._mix: Mix | None = None
        for kind, take in (
            (messages.PLAN, self._take_plan),
            (messages.REFUSED, self._take_refused),
            (messages.CLOCK, self._take_clock),
            (messages.BEGIN, self._take_begin),
            (messages.INTERRUPT, self._take_interrupt),
        ):
            self._runner.register_message(kind, take)
        gevent.spawn(self._say_hello)

    def _say_hello(self) -> None:
        while not self._answered:
            self._runner.send_message(messages.HELLO)
            gevent.sleep(HELLO_S)

    def _take_plan(self, msg: Any, **_: Any) -> None:
        if self._answered:
            return
        self._answered = True
        try:
            plan = self._plan = self._read(msg.data)
            self._mix = read_mix(msg.data["mix"], plan.mix, fakes=plan.fakes)
            _compare(messages.fingerprint(plan, self._mix), msg.data["fingerprint"])
            _ask(plan.host)
        except (CannotShareError, MixError) as error:
            print(f"load-worker: {error}", flush=True)
            self._runner.send_message(messages.REFUSED, {"name": self._name, "why": str(error)})
            return
        self._mix.prepare()
        print(f"load-worker: {self._name} is prepared for {self._plan.host}", flush=True)
        self._runner.send_message(messages.PREPARED, {"name": self._name})

    def _read(self, told: dict[str, Any]) -> Plan:
        key = os.environ.get(messages.API_KEY) or None
        if told["needs_key"] and not key:
            raise CannotShareError("the gateway needs an API key, which the master does not send: say API_KEY=… here")
        mine = {"api_key": key if told["needs_key"] else None, "mix": Path("of the master")}
        try:
            return Plan.model_validate_json(told["plan"]).model_copy(update=mine)
        except ValidationError:
            raise CannotShareError(OTHER_VERSION) from None

    def _take_refused(self, msg: Any, **_: Any) -> None:
        if self._answered:
            return
        self._answered = True
        print(f"load-worker: {self._name} is not needed: {msg.data['why']}", flush=True)
        gevent.spawn(self._runner.quit)

    def _take_clock(self, msg: Any, **_: Any) -> None:
        self._runner.send_message(messages.CLOCK, {"sent": msg.data["sent"], "at": time.time()})

    def _take_begin(self, msg: Any, **_: Any) -> None:
        assert self._plan is not None, "the master sends the plan first"
        assert self._mix is not None, "the plan has a mix"
        generator = Generator(
            self._plan,
            self._mix,
            self._client(self._plan),
            stop=self._stop,
            count=self._environment.events.request.fire,
            hand_on=lambda report: self._runner.send_message(messages.REPORT, report),
            index=msg.data["index"],
            clock=Clock(msg.data["ahead_s"]),
        )
        gevent.spawn(self._make_share, generator, msg.data["begin"])

    def _make_share(self, generator: Generator, begin: float) -> None:
        try:
            generator.run(begin)
        except BaseException:
            self._environment.process_exit_code = 1
            self._runner.quit()  # the master then hears that nothing more comes
            raise
        print(f"load-worker: {self._name} has made its share", flush=True)

    def _take_interrupt(self, **_: Any) -> None:
        self._stop.set()


def _compare(mine: str, masters: str) -> None:
    if mine != masters:
        raise CannotShareError(OTHER_VERSION)


def _ask(host: str) -> None:
    try:
        httpx.get(f"{host}/health", timeout=ANSWERS_S)
    except httpx.HTTPError as error:
        raise CannotShareError(
            f"{host} does not answer from here: {error or type(error).__name__}; "
            "a stack of the master's own is on its loopback: say HOST=… there"
        ) from None
