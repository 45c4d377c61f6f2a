"""The master of a run that load workers share: awaits them, measures their clocks, begins, notices who dies.

Everything here runs on gevent, in the Locust process that reports.
"""

import time
from typing import Any

import gevent
from locust import runners

from loadtests.drive import messages
from loadtests.drive.collector import Collector, Source, say
from loadtests.mix import Mix
from loadtests.plan import Plan

LEAD_S = 0.5
"""So long the word of the beginning may take to all load workers."""
ASKED = 9
"""So often each clock is asked: the quickest answer is the best."""
ANSWER_S = 5.0
"""So long the answer to one such question may take."""
TOLD_EVERY_S = 30.0
"""Between two sentences on who is still awaited."""
SILENT_S = 10
"""A load worker that says nothing for so long is gone. Locust's own 3 s are short for a machine under load."""


class Master:
    """The load workers of one run."""

    def __init__(self, environment: Any, plan: Plan, mix: Mix, collector: Collector) -> None:
        runners.HEARTBEAT_LIVENESS = SILENT_S  # type: ignore[attr-defined,unused-ignore]
        self._runner = environment.runner
        self._plan = plan
        self._told = {
            "plan": plan.model_dump_json(exclude={"api_key", "mix", "records"}),
            "mix": plan.mix.read_text(encoding="utf-8"),
            "fingerprint": messages.fingerprint(plan, mix),
            "needs_key": bool(plan.api_key),
        }
        self._collector = collector
        self._prepared: dict[str, str] = {}
        """Names by Locust's id of a worker, in the order in which they were ready."""
        self._sources: dict[str, Source] = {}
        self._clocks: dict[str, list[tuple[float, float]]] = {}
        """By id: (half the way there and back, ahead) in seconds."""
        self.refused: str | None = None
        """Why a load worker could not take its share."""
        for kind, take in (
            (messages.HELLO, self._take_hello),
            (messages.PREPARED, self._take_prepared),
            (messages.REFUSED, self._take_refused),
            (messages.CLOCK, self._take_clock),
            (messages.REPORT, self._take_report),
        ):
            self._runner.register_message(kind, take)

    def lead(self) -> None:
        """Wait for all load workers, begin, and return when each has sent its last report or has died."""
        self._gather()
        if self.refused:
            return
        self._begin()
        while not self._collector.complete:
            gevent.sleep(0.1)
            self._look_after()

    def interrupt(self) -> None:
        """Let all load workers stop and report."""
        self._runner.send_message(messages.INTERRUPT)

    def _take_hello(self, msg: Any, **_: Any) -> None:
        if self._sources or len(self._here()) >= self._plan.generators:
            self._runner.send_message(messages.REFUSED, {"why": "the run has all its load workers"}, msg.node_id)
        else:
            self._runner.send_message(messages.PLAN, self._told, msg.node_id)

    def _take_prepared(self, msg: Any, **_: Any) -> None:
        self._prepared[msg.node_id] = msg.data["name"]
        here = self._here()
        say(f"{len(here)} of {self._plan.generators} load workers are here: {', '.join(here.values())}")

    def _take_refused(self, msg: Any, **_: Any) -> None:
        self.refused = f"load worker {msg.data['name']}: {msg.data['why']}"

    def _take_clock(self, msg: Any, **_: Any) -> None:
        half = (time.time() - msg.data["sent"]) / 2
        self._clocks.setdefault(msg.node_id, []).append((half, msg.data["at"] - msg.data["sent"] - half))

    def _take_report(self, msg: Any, **_: Any) -> None:
        self._collector.take(msg.data)

    def _here(self) -> dict[str, str]:
        """Return those who are prepared and have not gone since."""
        return {one: name for one, name in self._prepared.items() if not self._gone(one)}

    def _gone(self, client_id: str) -> bool:
        client = self._runner.clients.get(client_id)
        return client is None or client.state == runners.STATE_MISSING

    def _gather(self) -> None:
        began = told = time.monotonic()
        while not self.refused and len(here := self._here()) < self._plan.generators:
            gevent.sleep(0.05)
            if time.monotonic() - began > self._plan.gather_s:
                came = ", ".join(here.values()) or "none"
                self.refused = (
                    f"of {self._plan.generators} load workers {len(here)} came within {self._plan.gather_s:g} s: {came}"
                )
            if time.monotonic() - told > TOLD_EVERY_S:
                told = time.monotonic()
                say(f"{len(here)} of {self._plan.generators} load workers are here, still waiting")

    def _begin(self) -> None:
        """Measure the clocks, give each its share, and name the instant at which all begin."""
        for index, (client_id, name) in enumerate(self._here().items()):
            within, ahead = self._measure(client_id)
            self._sources[client_id] = self._collector.sources[index] = Source(index, name, ahead, within)
            say(f"{name} makes share {index + 1} of {self._plan.generators}; its clock: {_told(ahead, within)}")
        begin = self._collector.begun = time.time() + LEAD_S
        for client_id, source in self._sources.items():
            told = {"index": source.index, "begin": begin, "ahead_s": source.ahead_s}
            self._runner.send_message(messages.BEGIN, told, client_id)

    def _measure(self, client_id: str) -> tuple[float, float]:
        for number in range(ASKED):
            self._runner.send_message(messages.CLOCK, {"sent": time.time()}, client_id)
            until = time.monotonic() + ANSWER_S
            while len(self._clocks.get(client_id, ())) <= number and time.monotonic() < until:
                gevent.sleep(0.001)
        return min(self._clocks.get(client_id, [(ANSWER_S, 0.0)]))

    def _look_after(self) -> None:
        for client_id, source in self._sources.items():
            died = not source.done and self._gone(client_id)
            if died != source.died:
                source.died = died
                became = "died: what it has not begun counts as not started" if died else "is back"
                say(f"load worker {source.name} {became}")


def _told(ahead: float, within: float) -> str:
    return f"{abs(ahead):.3f} s {'ahead' if ahead > 0 else 'behind'}, give or take {within:.3f}; corrected"
