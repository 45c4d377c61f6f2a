"""What master and load workers say to each other, over Locust's connection: the kinds of messages.

The connection is neither encrypted nor guarded, so the plan goes without its API key: each load worker has it from its
own environment, in API_KEY.
"""

import hashlib
import json

from loadtests.arrivals import arrivals
from loadtests.mix import Mix
from loadtests.plan import Plan

HELLO = "hello"
"""From a worker, again and again until it is answered: either side may hear before it listens."""
PLAN = "plan"
"""To a worker that came: the plan as JSON, the text of its mix, its fingerprint, whether a key is needed."""
REFUSED = "refused"
"""From a worker that cannot take its share, and to one that is not needed: the reason."""
PREPARED = "prepared"
"""From a worker: its photos are drawn, and the gateway answers it."""
CLOCK = "clock"
"""Asked and answered: `sent` by the master's clock, `at` by the worker's."""
BEGIN = "begin"
"""To a worker: which share is its own, when all begin by the master's clock, how far its own is ahead."""
INTERRUPT = "interrupt"
"""To a worker: stop, and report."""
REPORT = "report"
"""From a worker: a report of `Generator`."""

API_KEY = "API_KEY"
"""The environment variable from which a load worker has the API key."""


def fingerprint(plan: Plan, mix: Mix) -> str:
    """Return what differs where another version of this code would make other try-ons of the same plan."""
    planned = arrivals(plan.shape, plan.rate, plan.seconds, plan.seed) if plan.model == "open" else [0.0] * plan.users
    told = [[round(at, 3), mix.choose(plan.seed, number).name] for number, at in enumerate(planned)]
    rules = [[rule.as_rule("", "") for rule in case.scenario.rules] for case in mix.cases]
    return hashlib.sha256(json.dumps([told, rules]).encode()).hexdigest()
