"""What Locust runs, for `make load` and `make load-worker`, which also give it its options.

One process makes all arrivals, by the plan in LOAD_PLAN; or a master (`--master`) awaits load workers (`--worker`), who
have the plan from it. SIGUSR1 to the process that reports stops the run, and all records are written.
"""

import json
import os
import signal
import time
from typing import Any

import gevent
from gevent.event import Event
from locust import FastHttpUser, events, task
from locust.exception import StopUser
from locust.runners import MasterRunner, WorkerRunner

from loadtests.drive.collector import Collector
from loadtests.drive.generator import Generator
from loadtests.drive.master import Master
from loadtests.drive.worker import Worker
from loadtests.mix import load_mix
from loadtests.plan import VARIABLE, Plan


class Arrivals(FastHttpUser):
    """Whose HTTP client all arrivals use. As a user it only waits: how many of them Locust runs, and where, is its."""

    host = "http://not.yet.known"
    connection_timeout = 10

    @task
    def wait(self) -> None:
        """Be there until the run is over."""
        self.environment.over.wait()
        raise StopUser


def _client(environment: Any, plan: Plan) -> Any:
    """Return an HTTP client as the plan needs it."""
    Arrivals.host = plan.host
    Arrivals.network_timeout = plan.patience_s
    Arrivals.concurrency = 2 * plan.most_running
    return Arrivals(environment).client


@events.init.add_listener
def set_up(environment: Any, **_: Any) -> None:
    """Find out which part this process has, and play it beside Locust's own."""
    environment.over = Event()
    if isinstance(environment.runner, WorkerRunner):
        Worker(environment, lambda plan: _client(environment, plan))
        return
    plan = Plan.model_validate_json(os.environ[VARIABLE])
    mix = load_mix(plan.mix, fakes=plan.fakes)
    collector = environment.collector = Collector(plan, mix)
    if isinstance(environment.runner, MasterRunner):
        master = Master(environment, plan, mix, collector)
        gevent.signal_handler(signal.SIGUSR1, _interrupt, environment, master.interrupt)
        gevent.spawn(_lead, environment, master)
        return
    mix.prepare()
    stop = Event()
    gevent.signal_handler(signal.SIGUSR1, _interrupt, environment, stop.set)
    generator = Generator(
        plan,
        mix,
        _client(environment, plan),
        stop=stop,
        count=environment.events.request.fire,
        hand_on=collector.take,
    )
    collector.begun = time.time()
    gevent.spawn(_alone, environment, generator, collector.begun)


@events.quitting.add_listener
def close(environment: Any, **_: Any) -> None:
    """Finish the file of records."""
    environment.over.set()
    if hasattr(environment, "collector"):
        environment.collector.close()


def _alone(environment: Any, generator: Generator, begun: float) -> None:
    try:
        generator.run(begun)
    finally:
        environment.runner.quit()


def _lead(environment: Any, master: Master) -> None:
    try:
        master.lead()
        if master.refused:
            print(json.dumps({"refused": master.refused}), flush=True)
    finally:
        environment.runner.quit()


def _interrupt(environment: Any, stop: Any) -> None:
    environment.collector.stopped = time.time()
    stop()
    if environment.collector.begun is None:  # nobody has begun, so nobody will report
        environment.runner.quit()
