"""The worker's side of workflows: between the SDK's core and a workflow, what goes in and out is translated.

A timer becomes one of the story, and a signal in the history says that it has fired. Timeouts become the story's. What
results, failures, headers and signals say about their instant becomes `workflow.now()`. The workflow sees none of it,
sandboxed or not.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import floor
from typing import Any

from temporalio.bridge.proto.workflow_activation import RemoveFromCache, WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.converter import DataConverter
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from .answers import Asked
from .commands import Commands
from .holds import Hold
from .jobs import hear
from .run_state import RunState
from .runs import Told, as_told
from .stories import Stories
from .wire import BEGIN, RUN_OUT, run_timed_out

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

LATE = 0.8
"""Of the time that the server gives a task: from here on it may have refused an answer before that came."""


class VirtualRunner(WorkflowRunner):
    """Wraps a workflow runner; the SDK's own sandbox without one."""

    def __init__(self, inner: WorkflowRunner | None, stories: Stories, converter: DataConverter | None) -> None:
        self._inner, self._stories = inner or SandboxedWorkflowRunner(), stories
        self._as_it_is = not converter or not (converter.payload_codec or converter.external_storage)
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
        return Run(self._inner, det, self._stories, as_it_is=self._as_it_is)


class Run(WorkflowInstance):
    """One run of a workflow. `as_it_is`: nothing is done to what it sends and gets, as a codec or a store would."""

    def __init__(
        self, inner: WorkflowRunner, details: WorkflowInstanceDetails, stories: Stories, *, as_it_is: bool
    ) -> None:
        self._stories, self._as_it_is = stories, as_it_is
        told = Told.of(details.info.headers)
        # A whole second, so that an instant is the same to the microsecond whatever the time of day.
        base = floor(details.info.workflow_start_time.timestamp()) if told.base is None else told.base
        self._run = RunState(details.info.run_id, details.info.workflow_id, told, base)
        self._inner = inner.create_instance(as_told(details, told, base))
        self._waits_on = _waits_on(details.defn)
        self._patience = LATE * details.info.task_timeout.total_seconds()
        self._commands = Commands(self._run)
        self._early: list[Any] | None = [] if told.delay else None
        """Jobs that came before its code begins."""
        self._out = False

    def get_serialization_context(self, command_info: Any) -> Any:
        """Ask the inner run. It takes the sandbox to answer, several times for each payload, so only for a codec."""
        return None if self._as_it_is else self._inner.get_serialization_context(command_info)

    def get_external_store_context(self, command_info: Any) -> Any:
        """Ask the inner run."""
        return None if self._as_it_is else self._inner.get_external_store_context(command_info)

    def get_info(self) -> Any:
        """Ask the inner run."""
        return self._inner.get_info()

    def get_thread_id(self) -> int | None:
        """Ask the inner run."""
        return self._inner.get_thread_id()

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        """Translate an activation, let the workflow run, translate its commands."""
        if any(job.HasField("remove_from_cache") for job in act.jobs):
            if self._run.story:
                refused = act.jobs[0].remove_from_cache.reason in _REFUSED
                self._run.story.loop.call_soon_threadsafe(self._run.story.evicted, act.run_id, refused)
            return self._inner.activate(act)
        begins = any(job.HasField("initialize_workflow") for job in act.jobs)
        late_at = act.timestamp.ToNanoseconds() / 1e9 + self._patience  # the server's time still
        heard, fired = self._hear(act)
        if begins:
            self._begin(act.is_replaying)
        if self._run.story and not act.is_replaying:
            self._run.now = max(self._run.now, self._run.story.now)
        completion = self._answer(act, fired, begins=begins)
        if not completion.HasField("successful"):
            if self._run.story:
                self._run.story.task_failures[act.run_id] = completion.failed.failure.message
            return completion
        self._commands.translate(completion.successful.commands)
        if self._run.story and act.is_replaying:
            self._run.story.loop.call_soon_threadsafe(self._run.story.has_heard, heard)
        elif self._run.story:
            parent = Hold(*self._run.told.hold) if self._run.told.hold else None
            asked = Asked(parent, self._waits_on, late_at)
            self._run.story.loop.call_soon_threadsafe(
                self._run.story.processed, self._run.run, self._run.workflow_id, heard, self._commands.effects, asked
            )
        return completion

    def _hear(self, act: WorkflowActivation) -> tuple[list[Hold], list[int]]:
        """Translate the jobs; return what is heard, and which of the timers have fired that no workflow starts."""
        heard: list[Hold] = []
        fired: list[int] = []
        for job in list(act.jobs):
            holds = hear(self._run, job)
            heard += holds
            own = [int(str(hold.which)) for hold in holds if hold.kind == "timer" and hold.which in (BEGIN, RUN_OUT)]
            if own:
                fired += own
                act.jobs.remove(job)
        return heard, fired

    def _begin(self, replaying: bool) -> None:
        self._commands.begins()
        if self._stories.only_replays:
            return
        self._run.story = self._stories.story_of_run(
            self._run.run, self._run.workflow_id, self._run.base, self._run.told.story
        )
        if self._run.told.base is None and not replaying:
            self._run.base = self._run.story.base  # it may have joined a story that has begun

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
        act.timestamp.FromNanoseconds(round((self._run.base + self._run.now) * 1e6) * 1000)
        return self._inner.activate(act)


def _waits_on(defn: Any) -> str:
    """Say which messages a workflow may wait for."""
    signals = sorted(str(name or "of any name") for name in defn.signals)
    updates = sorted(str(name or "of any name") for name in defn.updates)
    said = [f"signal {' or '.join(signals)}"] if signals else []
    said += [f"update {' or '.join(updates)}"] if updates else []
    return " or ".join(said)
