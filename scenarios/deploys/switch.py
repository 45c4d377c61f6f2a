"""Deploys in the middle of a try-on: which code works on each of its workflow tasks.

Nothing is cached, so each workflow task replays the history from its beginning, as it does after a deploy: whichever
code works on task k has to agree with all that the other one decided before.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from temporalio.plugin import SimplePlugin
from temporalio.worker import WorkerConfig, WorkflowInstance, WorkflowInstanceDetails, WorkflowRunner
from temporalio.workflow import NondeterminismError, _Definition


@dataclass(frozen=True)
class Deploy:
    """One deploy: the first so many workflow tasks are worked on by one workflow, the others by another."""

    before: type[Any]
    tasks: int
    after: type[Any]


class Deploys(SimplePlugin):
    """The plugin of a worker whose try-ons meet deploys. Register it before that of virtual time.

    Args:
        workflows: every version that a deploy may name.
    """

    def __init__(self, *workflows: type[Any]) -> None:
        super().__init__("deploys")
        self.planned: dict[str, Deploy] = {}
        """By workflow id. Others are worked on by the worker's own code."""
        self._definitions = {each: _Definition.must_from_class(each) for each in workflows}
        self._tasks: Counter[str] = Counter()

    def definition(self, workflow_id: str) -> Any:
        """Return whose turn it is with the next workflow task of a workflow; None: the worker's own code."""
        deploy = self.planned.get(workflow_id)
        if deploy is None:
            return None
        self._tasks[workflow_id] += 1
        return self._definitions[deploy.before if self._tasks[workflow_id] <= deploy.tasks else deploy.after]

    @property
    def definitions(self) -> Mapping[type[Any], Any]:
        """What the runner has to prepare for."""
        return self._definitions

    def configure_worker(self, config: WorkerConfig) -> WorkerConfig:
        """Put the switch around the runner, cache nothing, and let a workflow fail whose code disagrees."""
        if config.get("workflows"):
            runner = config.get("workflow_runner")
            assert runner is not None, "the worker says how it runs workflows"
            config["workflow_runner"] = _Switch(runner, self)
            config["max_cached_workflows"] = 0
            config["workflow_failure_exception_types"] = [NondeterminismError]
        return config


class _Switch(WorkflowRunner):
    def __init__(self, inner: WorkflowRunner, deploys: Deploys) -> None:
        self._inner, self._deploys = inner, deploys

    def prepare_workflow(self, defn: Any) -> None:
        for definition in (defn, *self._deploys.definitions.values()):
            self._inner.prepare_workflow(definition)

    def set_worker_level_failure_exception_types(self, types: Any) -> None:
        self._inner.set_worker_level_failure_exception_types(types)

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        definition = self._deploys.definition(det.info.workflow_id)
        return self._inner.create_instance(det if definition is None else replace(det, defn=definition))
