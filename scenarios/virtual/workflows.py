"""The worker's side of workflows: between the SDK's core and a workflow, what goes in and out is translated.

A timer becomes one of the story, and a signal in the history says that it has fired. Timeouts become the story's. What
results, failures, headers and signals say about their instant becomes `workflow.now()`. The workflow sees none of it,
sandboxed or not.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import floor
from typing import TYPE_CHECKING, Any

from temporalio.bridge.proto.workflow_activation import RemoveFromCache, WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from .commands import Commands
from .holds import Hold
from .jobs import hear
from .runs import Told, as_told
from .story import Story
from .wire import BEGIN, RUN_OUT, run_timed_out

if TYPE_CHECKING:
    from .plugin import VirtualTime

_REFUSED = {
    RemoveFromCache.EvictionReason.Value(reason)
    for reason in (
        "UNHANDLED_COMMAND",
        "TASK_NOT_FOUND",
        "LANG_FAIL",
        "NONDETERMINISM",
        "FATAL",
        "PAGINATION_OR_HISTORY_FETCH",
    )
}
"""Reasons for dropping a workflow after an answer that the server did not take. After any other it did."""


class VirtualRunner(WorkflowRunner):
    """Wraps a workflow runner; the SDK's own sandbox without one."""

    def __init__(self, inner: WorkflowRunner | None, virtual: "VirtualTime") -> None:
        self._inner, self._virtual = inner or SandboxedWorkflowRunner(), virtual
        if isinstance(self._inner, SandboxedWorkflowRunner):
            # A test may hold its workflows beside what it imports of here and of pytest. Nothing else is let through:
            # what the sandbox refuses in production it has to refuse here.
            own = self._inner.restrictions.with_passthrough_modules(__package__ or "", "pytest", "_pytest")
            self._inner = replace(self._inner, restrictions=own)

    def prepare_workflow(self, defn: Any) -> None:
        """Let the inner runner prepare."""
        self._inner.prepare_workflow(defn)

    def set_worker_level_failure_exception_types(self, types: Sequence[type[BaseException]]) -> None:
        """Tell the inner runner."""
        self._inner.set_worker_level_failure_exception_types(types)

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """Create a run of the inner runner's, and wrap it."""
        return Run(self._inner, det, self._virtual)


class Run(WorkflowInstance):
    """One run of a workflow.

    Attributes:
        now: its time in seconds since its story began, as far as its history says.
    """

    def __init__(self, inner: WorkflowRunner, details: WorkflowInstanceDetails, virtual: "VirtualTime") -> None:
        self._virtual = virtual
        self.told = told = Told.of(details.info.headers)
        # A whole second, so that an instant is the same to the microsecond whatever the time of day.
        self.base = floor(details.info.workflow_start_time.timestamp()) if told.base is None else told.base
        self.run, self.workflow_id = details.info.run_id, details.info.workflow_id
        self.now = told.now
        self._inner = inner.create_instance(as_told(details, told, self.base))
        self._waits_on = _waits_on(details.defn)
        self.commands = Commands(self)
        self.story: Story | None = None
        self.init: Any = None
        """What the run was started with, where it may be retried."""
        self.updates: dict[str, str] = {}
        """The ids of updates that have no outcome yet, by the number that the SDK's core gives them."""
        self._early: list[Any] | None = [] if told.delay else None
        """Jobs that came before its code begins."""
        self._out = False

    def get_serialization_context(self, command_info: Any) -> Any:
        """Ask the inner run."""
        return self._inner.get_serialization_context(command_info)

    def get_external_store_context(self, command_info: Any) -> Any:
        """Ask the inner run."""
        return self._inner.get_external_store_context(command_info)

    def get_info(self) -> Any:
        """Ask the inner run."""
        return self._inner.get_info()

    def get_thread_id(self) -> int | None:
        """Ask the inner run."""
        return self._inner.get_thread_id()

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        """Translate an activation, let the workflow run, translate its commands."""
        if any(job.HasField("remove_from_cache") for job in act.jobs):
            if self.story:
                refused = act.jobs[0].remove_from_cache.reason in _REFUSED
                self.story.loop.call_soon_threadsafe(self.story.evicted, act.run_id, refused)
            return self._inner.activate(act)
        begins = any(job.HasField("initialize_workflow") for job in act.jobs)
        heard, fired = self._hear(act)
        if begins:
            self._begin(act.is_replaying)
        if self.story and not act.is_replaying:
            self.now = max(self.now, self.story.now)
        completion = self._answer(act, fired, begins=begins)
        if not completion.HasField("successful"):
            if self.story:
                self.story.task_failures[act.run_id] = completion.failed.failure.message
            return completion
        self.commands.translate(completion.successful.commands)
        if self.story and not act.is_replaying:
            about = (Hold(*self.told.hold) if self.told.hold else None, self._waits_on)
            self.story.loop.call_soon_threadsafe(
                self.story.processed, self.run, self.workflow_id, heard, self.commands.effects, about
            )
        return completion

    def _hear(self, act: WorkflowActivation) -> tuple[list[Hold], list[int]]:
        """Translate the jobs; return what is heard, and which of the timers have fired that no workflow starts."""
        heard: list[Hold] = []
        fired: list[int] = []
        for job in list(act.jobs):
            holds = hear(self, job)
            heard += holds
            own = [int(str(hold.which)) for hold in holds if hold.kind == "timer" and hold.which in (BEGIN, RUN_OUT)]
            if own:
                fired += own
                act.jobs.remove(job)
        return heard, fired

    def _begin(self, replaying: bool) -> None:
        self.commands.begins()
        if self._virtual.only_replays:
            return
        self.story = self._virtual.story_of_run(self.run, self.workflow_id, self.base, self.told.story)
        if self.told.base is None and not replaying:
            self.base = self.story.base  # it may have joined a story that has begun

    def _answer(self, act: WorkflowActivation, fired: list[int], *, begins: bool) -> WorkflowActivationCompletion:
        if RUN_OUT in fired and not self._out:
            self._out = True
            completion = WorkflowActivationCompletion(run_id=act.run_id)
            completion.successful.commands.add().fail_workflow_execution.failure.CopyFrom(run_timed_out())
            return completion
        if self._early is not None and BEGIN not in fired:
            self._early += [type(job).FromString(job.SerializeToString()) for job in act.jobs]
            completion = WorkflowActivationCompletion(run_id=act.run_id)
            completion.successful.SetInParent()
            return completion
        if self._early is not None:
            jobs = [*self._early, *(type(job).FromString(job.SerializeToString()) for job in act.jobs)]
            self._early = None
            del act.jobs[:]
            act.jobs.extend(jobs)
        if self._out or not (act.jobs or begins):
            completion = WorkflowActivationCompletion(run_id=act.run_id)
            completion.successful.SetInParent()
            return completion
        act.timestamp.FromNanoseconds(round((self.base + self.now) * 1e6) * 1000)
        return self._inner.activate(act)


def _waits_on(defn: Any) -> str:
    """Say which messages a workflow may wait for."""
    signals = sorted(str(name or "of any name") for name in defn.signals)
    updates = sorted(str(name or "of any name") for name in defn.updates)
    said = [f"signal {' or '.join(signals)}"] if signals else []
    said += [f"update {' or '.join(updates)}"] if updates else []
    return " or ".join(said)
