"""Every kind of history, a deploy at each of its workflow tasks, forward and back."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHistory

from app.names import workflow_id_for
from scenarios.catalogue import CATALOGUE
from scenarios.deploys.switch import Deploy, Deploys
from scenarios.scenario import Expect, Scenario
from scenarios.stories.run import Run
from scenarios.stories.runner import scenario_key
from scenarios.world.simulation import Simulation

KINDS = (
    "near",
    "far",
    "strokes-that-add",
    "birefnet-status-recovers",
    "sam3-status-exhausts",
    "a100-offline",
    "cancel-while-generating",
    "cancel-in-a-backoff",
)
"""Stories of the catalogue that differ in the commands of their histories: by branch, length and end."""
COMMANDS = re.compile(r"\[TMPRL1100\] Nondeterminism error: (.*)", re.DOTALL)
FORWARD, BACK = "forward", "back"


@dataclass(frozen=True)
class Found:
    """One try-on that met a deploy: where, and what came of it. Without `problem` it went on as if nothing was."""

    story: str
    direction: str
    task: int
    event: int
    problem: str = ""


def chosen(names: Sequence[str] = KINDS) -> list[Scenario]:
    """Return the stories, with nothing expected of them: what the old code came to is what the new one has to."""
    by_name = {scenario.name: scenario for scenario in CATALOGUE}
    return [by_name[name] for name in names if name in by_name]


def check(
    old: type[Any],
    new: type[Any],
    stories: Sequence[Scenario],
    *,
    seed: int = 1,
    done: Callable[[int, int], None] = lambda _done, _total: None,
) -> Iterator[Found]:
    """Yield what came of a deploy at every workflow task of every story, forward and back."""
    deploys = Deploys(old, new)
    with Simulation(seed=seed, replays=False, plugins=[deploys]) as simulation:
        number = 0

        def run(story: Scenario, deploy: Deploy) -> Any:
            nonlocal number
            number += 1
            made = _renamed(story, number)
            deploys.planned[workflow_id_for(scenario_key(made, seed, "1"))] = deploy
            return simulation.submit(made)

        never = 10_000
        bases = {
            (story.name, direction): run(story, Deploy(first, never, first))
            for story in stories
            for direction, first in ((FORWARD, old), (BACK, new))
        }
        pending = []
        for story in stories:
            for direction, first, second in ((FORWARD, old, new), (BACK, new, old)):
                base: Run = bases[story.name, direction].result()
                for task, event in enumerate(_tasks(base.history), 1):
                    deployed = run(story, Deploy(first, task, second))
                    pending.append((story.name, direction, task, event, base, deployed))
        for count, (name, direction, task, event, base, deployed) in enumerate(pending, 1):
            yield Found(name, direction, task, event, _problem(base, deployed.result()))
            done(count, len(pending))


def _renamed(story: Scenario, number: int) -> Scenario:
    return Scenario(
        name=f"{story.name}-{number}",
        story=story.story,
        theme="deploys",
        photo=story.photo,
        points=story.points,
        strokes=story.strokes,
        rules=story.rules,
        cancel_at=story.cancel_at,
        cancel_heard=story.cancel_heard,
        expect=Expect(status=None),
    )


def _tasks(history: WorkflowHistory | None) -> list[int]:
    """Return the event of each workflow task that was completed, but for the last: after that nothing is deployed."""
    events = history.events if history else ()
    completed = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
    return [event.event_id for event in events if event.event_type == completed][:-1]


def _problem(base: Run, run: Run) -> str:
    if run.history is not None:
        failure = run.history.events[-1].workflow_execution_failed_event_attributes.failure
        if found := COMMANDS.search(failure.message):
            return found[1].strip()
    ends = [(each.status, each.error.get("code"), each.error.get("failedStep")) for each in (base, run)]
    if ends[0] != ends[1]:
        return f"it ended {ends[1]} in place of {ends[0]}"
    return ""


def advice(problem: str) -> str:
    """Return which of Temporal's ways would do for a change that is not safe."""
    if "it ended" in problem:
        return "draining: stop starts until every try-on of the old code has ended"
    return "workflow.patched() around the change, or WORKER_BUILD_ID: each try-on stays with the code that began it"
