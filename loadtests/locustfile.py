"""What Locust runs: `locust -f loadtests/locustfile.py --headless -u N`, with the plan in LOAD_PLAN.

N is the number of load generators (1, or that of Locust's workers): each has one user, who makes all its arrivals, open
or closed. `make load` does all of this, and the report afterwards.
"""

import os
from typing import Any

import gevent
from locust import FastHttpUser, events, task
from locust.exception import StopUser
from locust.runners import LocalRunner, MasterRunner, WorkerRunner

from loadtests.generator import Collector, Generator
from loadtests.mix import load_mix
from loadtests.plan import VARIABLE, Plan

plan = Plan.model_validate_json(os.environ[VARIABLE])


@events.init.add_listener
def set_up(environment: Any, **_: Any) -> None:
    """Prepare the photos where load is generated, and collect the records where reports arrive."""
    runner = environment.runner
    if not isinstance(runner, MasterRunner):
        environment.mix = load_mix(plan.mix, fakes=plan.fakes)
        environment.mix.prepare()
    if isinstance(runner, MasterRunner | LocalRunner):
        environment.collector = Collector(plan)
        if isinstance(runner, MasterRunner):
            runner.register_message("tryons", lambda environment, msg, **_: environment.collector.take(msg.data))
        gevent.spawn(_quit_when_complete, environment)


@events.quitting.add_listener
def close(environment: Any, **_: Any) -> None:
    """Finish the file of records."""
    if hasattr(environment, "collector"):
        environment.collector.close()


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
        runner = self.environment.runner
        index = runner.worker_index if isinstance(runner, WorkerRunner) else 0
        Generator(self.environment, self.client, plan, index).run()
        raise StopUser
