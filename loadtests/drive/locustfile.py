"""What Locust runs: `locust -f loadtests/drive/locustfile.py --headless -u N`, with the plan in LOAD_PLAN.

N is the number of load generators (1, or that of Locust's workers): each has one user, who makes all its arrivals, open
or closed. `make load` does all of this, and the report afterwards. SIGUSR1 to the process that reports stops the run,
and all records are written.

With several generators the master names the instant at which all begin, once each has drawn its photos.
"""

import os
import signal
import time
from typing import Any

import gevent
from gevent.event import AsyncResult, Event
from locust import FastHttpUser, events, task
from locust.exception import StopUser
from locust.runners import LocalRunner, MasterRunner, WorkerRunner

from loadtests.drive.generator import Collector, Generator
from loadtests.mix import load_mix
from loadtests.plan import VARIABLE, Plan

LEAD_S = 0.5
"""So long the word of the beginning may take to all generators."""

plan = Plan.model_validate_json(os.environ[VARIABLE])


@events.init.add_listener
def set_up(environment: Any, **_: Any) -> None:
    """Prepare the photos where load is generated, and collect the records where reports arrive."""
    runner = environment.runner
    if not isinstance(runner, MasterRunner):
        environment.mix = load_mix(plan.mix, fakes=plan.fakes)
        environment.mix.prepare()
        environment.stop, environment.begin = Event(), AsyncResult()
    if isinstance(runner, WorkerRunner):
        runner.register_message("begin", lambda environment, msg, **_: environment.begin.set(msg.data))
        runner.register_message("interrupt", lambda environment, **_: environment.stop.set())
    else:
        environment.collector = Collector(plan)
        gevent.signal_handler(signal.SIGUSR1, _stop, environment)
        gevent.spawn(_quit_when_complete, environment)
    if isinstance(runner, MasterRunner):
        environment.prepared = 0
        runner.register_message("prepared", _one_is_prepared)
        runner.register_message("tryons", lambda environment, msg, **_: environment.collector.take(msg.data))


@events.quitting.add_listener
def close(environment: Any, **_: Any) -> None:
    """Finish the file of records."""
    if hasattr(environment, "collector"):
        environment.collector.close()


def _one_is_prepared(environment: Any, **_: Any) -> None:
    environment.prepared += 1
    if environment.prepared == plan.generators:
        environment.runner.send_message("begin", time.time() + LEAD_S)


def _stop(environment: Any) -> None:
    environment.collector.stopped = time.time()
    if isinstance(environment.runner, LocalRunner):
        environment.stop.set()
    else:
        environment.runner.send_message("interrupt")


def _quit_when_complete(environment: Any) -> None:
    while not environment.collector.complete:
        gevent.sleep(0.1)
    environment.runner.quit()


class Arrivals(FastHttpUser):
    """The one user of a load generator."""

    host = plan.host
    connection_timeout = 10
    network_timeout = plan.patience_s
    concurrency = 2 * plan.most_running

    @task
    def arrive(self) -> None:
        """Make all the arrivals of this process, then stop."""
        runner, index, begin = self.environment.runner, 0, time.time()
        if isinstance(runner, WorkerRunner):
            index = runner.worker_index
            runner.send_message("prepared")
            begin = self.environment.begin.get()
        Generator(self.environment, self.client, plan, index).run(begin)
        raise StopUser
