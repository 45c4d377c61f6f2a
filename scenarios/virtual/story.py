"""A story: one workflow with its children and continued runs, and the one clock that they share.

Its clock jumps to its earliest timer when its code waits, none of its real I/O is in flight, nothing is on its way
between worker and server (a hold), and somebody waits for its end or for an instant of it. Only the loop's thread
touches a story.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context, ContextVar
from math import isfinite
from typing import Protocol
from uuid import uuid4

from temporalio.activity import ActivityCancellationDetails

from .answers import Answer, Answers, Asked
from .attempt import Attempt
from .clock import Clock
from .ended import Ended
from .holds import Hold
from .internals import TurningLoop


class InFlight(Protocol):
    """An attempt whose code runs, as its story sees it."""

    over: bool

    def cancel_requested(self) -> None:
        """Hear that its workflow wants it cancelled."""
        ...

    def loses_its_worker(self, *, silently: bool) -> None:
        """Hear that its worker has left."""
        ...


class Outliving(Protocol):
    """Code that goes on after its attempt."""

    def ends(self, why: ActivityCancellationDetails) -> None:
        """Hear that nobody waits for it any longer."""
        ...


class Audience(Protocol):
    """Those who wait for stories, and how a story reaches its workflows."""

    def waits_for(self, story: "Story") -> bool:
        """Say whether time may pass for a story."""
        ...

    def tell_fired(self, story: "Story", workflow_id: str, hold: Hold, at: float) -> None:
        """Tell a workflow that a timer of its has fired."""
        ...


NUMBERED = ("signal", "cancel", "update")
"""Messages, of which several may be on their way to one workflow: which of them it hears nobody can tell."""
Key = tuple[str, str]
"""Of an activity: its run and its id."""

current: ContextVar["Story | None"] = ContextVar("story", default=None)
"""The story that the running code belongs to."""


class Story(Clock):
    """The virtual time of one workflow, and what happened in it.

    Attributes:
        name: the workflow that it began with.
        now: virtual seconds since it began.
        base: its beginning in Unix seconds.
        workflow_ids: its workflows.
        worker_left: whether a worker of its attempts has left (`VirtualTime.worker_leaves`).
        given_twice: attempts that the server gave out again, having lost its own word of the first time. A server that
            starves does so, in life too: what the story tells of them is how it went, and no fault of the code.
    """

    def __init__(self, name: str, loop: TurningLoop, audience: Audience, base: float = 0.0) -> None:
        super().__init__(loop)
        self.name, self.base = name, base
        self.key = uuid4().hex
        self.workflow_ids = {name}
        self.runs: set[str] = set()
        self._audience = audience
        self.running: dict[Key, InFlight] = {}
        self.ended: dict[Key, Ended] = {}
        """How attempts have ended of which their workflow has not heard yet."""
        self.resolved: set[Key] = set()
        self.abandoned: set[Key] = set()
        """Activities of which their workflow hears nothing more, and that go on."""
        self.unwanted: set[Key] = set()
        """Activities that their workflow wants cancelled: one may be on its way to its worker still."""
        self.scheduled: dict[Key, float] = {}
        self.lost: Counter[Key] = Counter()
        self.come: dict[Key, int] = {}
        """The newest attempt of each activity that a worker has got, as the server counts."""
        self.timers: dict[Key | tuple[str, int], asyncio.TimerHandle] = {}
        self.open_runs: dict[str, str] = {}
        self.children: dict[str, list[tuple[str, bool]]] = {}
        self.awaited: Counter[Hold] = Counter()
        self.cancelled: set[str] = set()
        self.continued: set[str] = set()
        self.parents: dict[str, Hold | None] = {}
        self.zombies: set[Outliving] = set()
        self.answers = Answers()
        self.waits_on: dict[str, str] = {}
        self.task_failures: dict[str, str] = {}
        self.free = self.over = False
        self.no_worker_until = 0.0
        self.worker_left = False
        self.given_twice = 0
        self.cancels_at_once = False
        self._made: list[Attempt] = []
        self._due: dict[tuple[str, int], float] = {}
        self._fired: list[tuple[str, Hold, float]] = []

    # ---------------------------------------------------------------- for those who look at it
    def attempts(self, activity: str | None = None) -> list[Attempt]:
        """Return the attempts so far, of one activity or of all, in the order in which they began."""
        return [each for each in self._made if activity in (None, each.activity)]

    def ends(self) -> None:
        """Say that nobody waits for it any more: what still runs in it comes to its end."""
        self.free = self.over = True

    def goes_on(self) -> None:
        """Say that there is a worker again for what has not come to its end."""
        if self.open_runs:
            self.free = self.over = False
            self._tell_fired()

    def held(self) -> bool:
        """Say whether something is on its way to somebody who will hear it."""
        if self.over:  # no workflow hears anything any more; an attempt still learns that it is cancelled
            return any(hold.kind == "asking" for hold in self.holds)
        return super().held()

    def note(self, attempt: Attempt) -> None:
        """Write down an attempt that begins."""
        self._made.append(attempt)

    def can_happen(self) -> bool:
        """Say whether there is a reason for time to pass: an attempt, a workflow's timer, a plan."""
        return bool(self.running or self.timers or self.plans or self.free)

    def may_pass(self) -> bool:
        """Say whether there is a reason for time to pass, and somebody waits for it."""
        return self.can_happen() and (self.free or self._audience.waits_for(self))

    def waits_for(self) -> str | None:
        """Say what keeps this story where it is; None when nothing does."""
        said = super().waits_for()
        failures = "; ".join(f"its workflow task fails: {failure}" for failure in self.task_failures.values())
        return f"{said} ({failures})" if said and failures else said

    # ---------------------------------------------------------------- what its workflows do
    def schedules(self, run: str, activity_id: str, *, local: bool) -> None:
        """An activity is scheduled: it has to begin here before time goes on."""
        self.hold(Hold("local" if local else "activity", run, activity_id))
        self.scheduled[run, activity_id] = self.now
        self.come.pop((run, activity_id), None)  # its id may be one of an activity that is over

    def expects_end(self, hold: Hold) -> None:
        """A workflow wants an activity cancelled, and does not wait for that: it hears so in its next task."""
        if (hold.of, str(hold.which)) not in self.resolved:
            self.hold(hold)

    def asks_to_cancel(self, key: Key) -> None:
        """A workflow wants an activity cancelled, and its attempt to hear of that."""
        self.unwanted.add(key)
        if key in self.running:
            self.running[key].cancel_requested()

    def expects(self, workflow_id: str) -> bool:
        """Say whether a workflow of this story runs or will begin."""
        return workflow_id in self.open_runs.values() or Hold("begin", workflow_id) in self.holds

    def sends(self, kind: str, workflow_id: str) -> Hold | None:
        """A message goes to a workflow of this story; it has to hear it before time goes on."""
        if not self.expects(workflow_id) or (kind == "cancel" and workflow_id in self.cancelled):
            return None  # a second cancellation is not told to it
        if kind == "cancel":
            self.cancelled.add(workflow_id)
        return self.numbered(kind, workflow_id)

    @contextmanager
    def awaits(self, hold: Hold) -> Iterator[None]:
        """Somebody waits for a result or an outcome: once it is there, no time passes until it has got it."""
        self.awaited[hold] += 1
        try:
            yield
        finally:
            self.awaited[hold] -= 1
            if not self.awaited[hold]:
                del self.awaited[hold]
                self.release(hold)

    def gives(self, hold: Hold) -> None:
        """A result or an outcome is there."""
        if hold in self.awaited:
            self.hold(hold)

    def cancels_child(self, workflow_id: str) -> None:
        """A parent wants a child cancelled. The server tells only the run that it started, which may be over."""
        if workflow_id not in self.continued:
            self.sends("cancel", workflow_id)

    def begins(self, workflow_id: str) -> Hold:
        """A workflow of this story is started: it has to begin here before time goes on."""
        self.workflow_ids.add(workflow_id)
        hold = Hold("begin", workflow_id)
        self.hold(hold)
        return hold

    def starts_child(self, run: str, seq: int, workflow_id: str, *, dies_with_it: bool) -> None:
        """A child is started: it has to begin, and its parent to hear of that."""
        self.begins(workflow_id)
        self.children.setdefault(run, []).append((workflow_id, dies_with_it))
        self.hold(Hold("child start", run, seq))

    def starts_timer(self, run: str, workflow_id: str, seq: int, seconds: float) -> None:
        """A workflow starts a timer. Said again, when the server missed it, it keeps its instant."""
        when = self._due.setdefault((run, seq), self.now + seconds)
        if (run, seq) not in self.timers and isfinite(when):
            self.timers[run, seq] = self.call_at(when, self._fire, run, workflow_id, seq, context=Context())

    def cancels_timer(self, run: str, seq: int) -> None:
        """A workflow no longer wants a timer."""
        timer = self.timers.pop((run, seq), None)
        if timer:
            timer.cancel()

    def _fire(self, run: str, workflow_id: str, seq: int) -> None:
        self.timers.pop((run, seq), None)
        hold = Hold("timer", run, seq)
        self.hold(hold)
        self._fired.append((workflow_id, hold, self._due.get((run, seq), self.now)))
        if not self.over:  # else a worker that is on its way out would be given one more task
            self._tell_fired()

    def _tell_fired(self) -> None:
        while self._fired:
            self._audience.tell_fired(self, *self._fired.pop(0))

    def processed(
        self,
        run: str,
        workflow_id: str,
        heard: list[Hold],
        effects: "list[Callable[[Story], object]]",
        asked: Asked,
    ) -> None:
        """Take the effects of a workflow's answer, before it goes to the server.

        Args:
            run: of the workflow.
            workflow_id: the workflow's.
            heard: what it had heard when it answered.
            effects: of what it says.
            asked: what goes with its task.
        """
        self.pulse += 1
        self.open_runs[run] = workflow_id
        self.parents[run], self.waits_on[run] = asked.parent, asked.waits_on
        self.task_failures.pop(run, None)
        self.answers.says(run, heard, asked.late_at)
        for effect in effects:
            effect(self)

    def is_closing(self, run: str, then: Hold | None) -> None:
        """A workflow has said its last word. It is over when the server has taken that."""
        self.answers.is_last(run, then)
        self.hold(Hold("close", run))

    async def replied(self, answer: Answer) -> None:
        """The SDK's core has sent an answer. A refused one releases nothing: its task comes again, with all in it."""
        if await self.answers.taken(answer):
            self.hears(answer.heard)
            answer.heard = []

    def has_heard(self, heard: list[Hold]) -> None:
        """A workflow is told again what it has heard: the server has taken its answer, whatever was said of it."""
        self.hears([hold for hold in heard if hold.kind not in NUMBERED])

    def evicted(self, run: str, refused: bool) -> None:
        """The SDK's core drops a run: that tells what became of its answer."""
        answer = self.answers.dropped(run, refused)
        if answer is None:
            return
        self.release(Hold("close", run))
        if not refused:
            self.closes(run, answer.then)
            self.hears(answer.heard)

    def _forget(self, run: str) -> None:
        for key in [key for key in self.timers if key[0] == run]:
            self.timers.pop(key).cancel()
        self._due = {key: when for key, when in self._due.items() if key[0] != run}
        self.scheduled = {key: when for key, when in self.scheduled.items() if key[0] != run}
        self.resolved = {key for key in self.resolved if key[0] != run}
        self.ended = {key: ended for key, ended in self.ended.items() if key[0] != run}
        self.unwanted = {key for key in self.unwanted if key[0] != run}
        self.abandoned = {key for key in self.abandoned if key[0] != run}

    def terminated(self, workflow_id: str) -> None:
        """A workflow is ended without hearing of it. Its parent does."""
        for run in [run for run, name in self.open_runs.items() if name == workflow_id]:
            self.closes(run, self.parents.get(run))

    def hears(self, heard: list[Hold]) -> None:
        """The server has taken a workflow's answer to what it heard."""
        for hold in heard:
            if hold.kind in NUMBERED:  # the oldest of those on their way to it
                same = [each for each in self.holds if each[:2] == hold[:2]]
                self.release(min(same, default=None, key=lambda each: each.which))  # type: ignore[arg-type, return-value]
                continue
            self.release(hold)
            if hold.kind in ("activity", "local"):
                key = (hold.of, str(hold.which))
                self.resolved.add(key)
                self.ended.pop(key, None)
                if key in self.running and self.running[key].over:  # it was completed from elsewhere
                    del self.running[key]

    def closes(self, run: str, then: Hold | None) -> None:
        """A run is over: a parent has to hear of its child, or the run that continues it to begin."""
        workflow_id = self.open_runs.pop(run, "")
        self.waits_on.pop(run, None)
        self.parents.pop(run, None)
        self.answers.over(run)
        self.pulse += 1
        continues = then == Hold("begin", workflow_id)
        begun = workflow_id in self.open_runs.values()  # the run that continues it may be quicker than this
        if continues:
            self.continued.add(workflow_id)
            then = None if begun else then
        gone = {run} if begun or continues else {run, workflow_id}
        self.holds = {hold for hold in self.holds if hold.of not in gone}  # nobody will hear them
        self.cancelled -= gone
        if not (begun or continues):
            self.gives(Hold("result", workflow_id))
        if then:
            self.hold(then)
        self._forget(run)
        for child, dies in self.children.pop(run, []):
            for child_run in [each for each, name in self.open_runs.items() if name == child and dies]:
                self.closes(child_run, None)
        for key in [key for key, attempt in self.running.items() if key[0] == run and attempt.over]:
            del self.running[key]
        if not self.open_runs and not self.holds:
            for zombie in list(self.zombies):
                zombie.ends(ActivityCancellationDetails(not_found=True))  # no time passes any more, for it to go on
            for nap in self.naps:
                nap.set()
