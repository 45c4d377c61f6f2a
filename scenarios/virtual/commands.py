"""What a workflow says, translated: each command of its answer, in place, and its effect on the story."""

from collections.abc import Callable
from dataclasses import replace
from math import inf
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import RetryState
from temporalio.workflow import ActivityCancellationType, ParentClosePolicy

from .holds import Hold
from .limits import Limits
from .retries import policy_from_json, retry_of_run
from .run_state import RunState
from .runs import Told, fill_retry, take_run_limits
from .story import Story
from .wire import BEGIN, LIMITS_HEADER, RUN_OUT, STORY_HEADER, mark_ended, mark_run_failed, packed

Effect = Callable[[Story], object]
"""Something that an answer does to its story, once the loop's thread takes it."""


class Commands:
    """Translates the commands of one run.

    Attributes:
        effects: of the commands translated last.
    """

    def __init__(self, run: RunState) -> None:
        self._run = run
        self._heard_at_once: set[int] = set()
        """Activities of which the SDK's core says "cancelled" as soon as it is asked to cancel them."""
        self._abandoned: set[int] = set()
        """Those among them that go on as if nobody had asked: the server hears nothing of it."""
        self.effects: list[Effect] = []
        self._pending: list[Effect] = []

    def begins(self) -> None:
        """The run begins: after its delay, with its time limited."""
        run, told = self._run, self._run.told
        if told.delay:
            self._pending.append(lambda story: story.starts_timer(run.run, run.workflow_id, BEGIN, told.delay))
        seconds = told.out_at - told.now
        if seconds < inf:
            self._pending.append(lambda story: story.starts_timer(run.run, run.workflow_id, RUN_OUT, seconds))

    def translate(self, commands: Any) -> None:
        """Translate commands in place, and note their effects."""
        self.effects, self._pending = self._pending, []
        kept = [command for command in commands if self._say(command)]
        if len(kept) < len(commands):
            kept = [type(command).FromString(command.SerializeToString()) for command in kept]
            del commands[:]
            commands.extend(kept)

    def _say(self, command: Any) -> bool:
        """Translate a command; say whether the server is to see it."""
        kind = command.WhichOneof("variant")
        say = getattr(self, f"_{kind}", None)
        return say is None or say(getattr(command, kind), command) is not False

    # ---------------------------------------------------------------- activities
    def _schedule_activity(self, value: Any, command: Any, *, local: bool = False) -> None:
        del command
        run = self._run.run
        self._run.activities[value.seq] = Hold("local" if local else "activity", run, value.activity_id)
        if value.cancellation_type != ActivityCancellationType.WAIT_CANCELLATION_COMPLETED:
            self._heard_at_once.add(value.seq)
        if value.cancellation_type == ActivityCancellationType.ABANDON:
            self._abandoned.add(value.seq)
        value.headers[LIMITS_HEADER].CopyFrom(packed(Limits.take(value).as_json()))
        activity_id = value.activity_id
        self.effects.append(lambda story: story.schedules(run, activity_id, local=local))

    def _schedule_local_activity(self, value: Any, command: Any) -> None:
        self._schedule_activity(value, command, local=True)

    def _request_cancel_activity(self, value: Any, command: Any) -> None:
        del command
        hold = self._run.activity(value.seq)
        if value.seq in self._heard_at_once:
            self.effects.append(lambda story: story.expects_end(hold))
        key = (hold.of, str(hold.which))
        if value.seq in self._abandoned:
            self.effects.append(lambda story: story.abandoned.add(key))
        else:
            self.effects.append(lambda story: story.asks_to_cancel(key))

    _request_cancel_local_activity = _request_cancel_activity

    # ---------------------------------------------------------------- timers
    def _start_timer(self, value: Any, command: Any) -> bool:
        del command
        run, seq = self._run, value.seq
        seconds = value.start_to_fire_timeout.ToNanoseconds() / 1e9
        self.effects.append(lambda story: story.starts_timer(run.run, run.workflow_id, seq, seconds))
        return False

    def _cancel_timer(self, value: Any, command: Any) -> bool:
        del command
        run, seq = self._run.run, value.seq
        self.effects.append(lambda story: story.cancels_timer(run, seq))
        return False

    # ---------------------------------------------------------------- other workflows
    def _start_child_workflow_execution(self, value: Any, command: Any) -> None:
        del command
        run, seq, workflow_id = self._run.run, value.seq, value.workflow_id
        dies = value.parent_close_policy in (0, ParentClosePolicy.TERMINATE)
        hold = Hold("child end", run, seq)
        self._tell(value.headers, Told(**take_run_limits(value), **self._here(), hold=list(hold)))
        self._run.children[seq] = workflow_id
        self.effects.append(lambda story: story.starts_child(run, seq, workflow_id, dies_with_it=dies))

    def _cancel_child_workflow_execution(self, value: Any, command: Any) -> None:
        del command
        child = self._run.child(value.child_workflow_seq)
        self.effects.append(lambda story: story.cancels_child(child))

    def _request_cancel_external_workflow_execution(self, value: Any, command: Any) -> None:
        del command
        other = value.workflow_execution.workflow_id
        self.effects.append(lambda story: story.sends("cancel", other))

    def _signal_external_workflow_execution(self, value: Any, command: Any) -> None:
        del command
        other = value.child_workflow_id or value.workflow_execution.workflow_id
        value.headers[STORY_HEADER].CopyFrom(packed({"at": self._run.now}))
        self.effects.append(lambda story: story.sends("signal", other))

    def _update_response(self, value: Any, command: Any) -> None:
        del command
        if value.WhichOneof("response") != "accepted":
            hold = Hold("outcome", self._run.workflow_id, self._run.updates.pop(value.protocol_instance_id, ""))
            self.effects.append(lambda story: story.gives(hold))

    # ---------------------------------------------------------------- the run's end
    def _complete_workflow_execution(self, value: Any, command: Any) -> None:
        del command
        if self._run.told.hold:
            mark_ended(value.result, self._run.now)
        self._closes(self._parents_hold())

    def _cancel_workflow_execution(self, value: Any, command: Any) -> None:
        del value, command
        self._closes(self._parents_hold())

    def _continue_as_new_workflow_execution(self, value: Any, command: Any) -> None:
        del command
        delay = value.backoff_start_interval.ToNanoseconds() / 1e9 if value.HasField("backoff_start_interval") else 0.0
        value.ClearField("backoff_start_interval")
        told = self._run.told.next(**self._here(), delay=delay)
        self._tell(value.headers, replace(told, **take_run_limits(value)))
        self._closes(Hold("begin", self._run.workflow_id))

    def _fail_workflow_execution(self, value: Any, command: Any) -> None:
        run, told = self._run, self._run.told
        delay, state = retry_of_run(policy_from_json(told.policy), told.attempt, value.failure)
        if delay is not None and run.now + delay >= told.executed_by:
            delay, state = None, RetryState.RETRY_STATE_TIMEOUT
        if delay is None or run.init is None:
            if told.hold:
                mark_run_failed(value.failure, run.now, state)
            self._closes(self._parents_hold())
            return
        following = told.next(**self._here(), delay=delay, failure=value.failure)
        fill_retry(command.continue_as_new_workflow_execution, run.init, following)
        self._closes(Hold("begin", run.workflow_id))

    def _closes(self, then: Hold | None) -> None:
        run = self._run.run
        self.effects.append(lambda story: story.is_closing(run, then))

    def _parents_hold(self) -> Hold | None:
        hold = self._run.told.hold
        return Hold(*hold) if hold else None

    def _here(self) -> dict[str, Any]:
        run = self._run
        key = run.story.key if run.story else run.told.story
        return {"story": key, "base": run.base, "now": run.now}

    @staticmethod
    def _tell(headers: Any, told: Told) -> None:
        payload: Payload = told.header()
        headers[STORY_HEADER].CopyFrom(payload)
