"""What holds for every run, whatever its rules. Each invariant yields a line for each breach."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType

from scenarios.histories import activities
from scenarios.photos import PHOTOS
from scenarios.pipeline import ACTIVITIES, BY_ACTIVITY, STEPS
from scenarios.stack.programs import ACCOUNT_KEY
from scenarios.stories.answer_invariants import (
    a_cancel_is_accepted,
    a_refusal_names_each_field,
    a_start_of_which_nobody_knows_names_its_try_on,
    a_start_that_is_refused_for_now_says_when_to_come_again,
    an_answer_for_now_says_when_to_come_again,
    answers_have_the_specified_keys,
    progress_never_falls,
    results_are_pictures,
    what_a_service_says_of_its_failure_goes_no_further,
    what_failed_is_said_to_people,
    what_the_user_does_is_answered_for_this_try_on,
    who_waits_is_told_what_stands_at_the_end,
)
from scenarios.stories.payload_invariants import (
    the_history_says_why_it_failed,
    the_workflow_keeps_what_the_user_sent,
    what_comes_back_is_what_the_a100_made,
    what_does_not_show_is_kept_nowhere,
    what_is_sent_is_what_the_user_said,
)
from scenarios.stories.run import Run
from scenarios.stories.starved import unanswered, untrue
from scenarios.stories.timelines import LEFT

HEARTBEAT_S = 10
"""Ours (docs/exploring.md, What the model knows): without a heartbeat for so long an attempt is over."""
A100_QUEUE = "-a100"
"""How the task queue ends whose activities share a limit of their own (docs/operations.md)."""
MAX_PAYLOAD = 64 * 1024
MAX_HISTORY = 1024 * 1024
FINAL = {"COMPLETED", "FAILED", "CANCELLED", "REFUSED"}
# A signature of a SAS, an account key in a connection string, the beginning of a JPEG or PNG, plain and in base64.
SECRETS = re.compile(rb"[?&]sig=|AccountKey=|\xff\xd8\xff[\xe0\xe1\xdb]|\x89PNG|/9j/4|iVBORw0KGgo")


def breaches(run: Run) -> Iterator[str]:
    """Yield a line for each breach of each invariant."""
    for invariant in INVARIANTS:
        for breach in invariant(run):
            yield f"{invariant.__name__.replace('_', ' ')}: {breach}"


def every_start_reaches_a_final_state(run: Run) -> Iterator[str]:
    """Nothing that was accepted stays open."""
    if run.status not in FINAL:
        yield f"the status is {run.status}"


def steps_come_in_their_order(run: Run) -> Iterator[str]:
    """The activities in the order of the specification; a step that fails is that of the last of them."""
    names = list(dict.fromkeys(attempt.activity for attempt in run.timeline.attempts))
    if names != sorted(names, key=ACTIVITIES.index):
        yield f"activities {names}"
    told = run.error.get("failedStep")
    if run.status == "FAILED" and names and told != BY_ACTIVITY[names[-1]].name:
        yield f"{told} is said to have failed, and {names[-1]} was the last activity"


def each_step_works_on_its_picture(run: Run) -> Iterator[str]:
    """The mask is made on the cut-out where there is one, the final pictures on the resized photo as it is."""
    given, made = _carried(run)
    resized = made.get("resize_image")
    subject = made.get("remove_background", resized)
    wanted = {
        "check_zoom": resized,
        "remove_background": resized,
        "generate_mask": subject,
        "refine_mask": subject,
        "generate_images": resized,
    }
    for activity, picture in wanted.items():
        if activity in given and _uri(given[activity]) != _uri(picture):
            yield f"{activity} got {_uri(given[activity])} instead of {_uri(picture)}"
    if resized and (size := (resized.get("width"), resized.get("height"))) != PHOTOS[run.scenario.photo].size:
        yield f"what was resized has {size[0]}x{size[1]} pixels, which is not the user's photo"


def no_call_after_the_end(run: Run) -> Iterator[str]:
    """No service is called for a workflow whose timeline has ended."""
    for call in run.calls:
        if run.virtual and call.at > run.timeline.length + 0.001:
            yield f"{call.name} at {call.at:.1f} s; the end was at {run.timeline.length:.1f} s"


def no_job_is_submitted_twice_for_one_attempt(run: Run) -> Iterator[str]:
    """One attempt submits one job at most."""
    submits = Counter((call.service, call.attempt) for call in run.calls if call.operation == "submit")
    for (service, attempt), times in submits.items():
        if times > 1:
            yield f"{service} got {times} in attempt {attempt}"


def attempts_are_within_policy(run: Run) -> Iterator[str]:
    """Attempts count from 1 without a gap, to the policy's maximum at most."""
    for step in STEPS:
        numbers = [attempt.number for attempt in run.timeline.attempts if attempt.activity == step.activity]
        if numbers != list(range(1, len(numbers) + 1)):
            yield f"{step.activity} had the attempts {numbers}"
        if len(numbers) > step.retry.attempts:
            yield f"{step.activity} had {len(numbers)} attempts; its policy allows {step.retry.attempts}"


def temporal_is_told_the_policies(run: Run) -> Iterator[str]:
    """Each activity is scheduled as specified: in its task queue, with its timeouts and backoffs."""
    for event in run.history.events if run.history else ():
        if event.event_type != EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            continue
        told = event.activity_task_scheduled_event_attributes
        step, policy = BY_ACTIVITY[told.activity_type.name], told.retry_policy
        first, longest = (
            each.ToTimedelta().total_seconds() for each in (policy.initial_interval, policy.maximum_interval)
        )
        seen = (first, policy.backoff_coefficient, longest)
        if seen != (step.retry.first_s, step.retry.coefficient, step.retry.longest_s):
            yield f"of {step.activity} it was told to wait {seen}"
        if told.task_queue.name.endswith(A100_QUEUE) is not (step.service == "a100"):
            yield f"{step.activity} was put into {told.task_queue.name}"
    for attempt in run.timeline.attempts:
        step, limits = BY_ACTIVITY[attempt.activity], attempt.limits
        if limits and (limits.start_to_close, limits.heartbeat) != (step.start_to_close_s, HEARTBEAT_S):
            yield f"of {step.activity} it was told {limits.as_json()}"


def time_is_true(run: Run) -> Iterator[str]:
    """Nothing made the timeline untrue, and what was planned has happened."""
    yield from untrue(run)
    yield from unanswered(run)
    happened = [each.what for each in run.timeline.happenings]
    if happened.count(LEFT) < len(run.scenario.departures):
        yield f"inconclusive: ended at {run.timeline.length:.1f} s, before the worker left"
    if run.scenario.cancel_at is not None and run.virtual and "cancel" not in happened:
        yield f"inconclusive: ended at {run.timeline.length:.1f} s, before the cancel at {run.scenario.cancel_at:g} s"
    if run.status != "REFUSED" and len(run.acts) < len(run.scenario.acts):
        missing = [act for act in run.scenario.acts if act not in [each.act for each in run.acts]]
        yield f"inconclusive: ended at {run.timeline.length:.1f} s, before {missing}"


def the_workflow_never_waits_by_itself(run: Run) -> Iterator[str]:
    """Each activity begins when the one before has ended; a pause that nobody gave would show as a wait."""
    for before, attempt in pairwise(run.timeline.attempts):
        waited = attempt.began - (before.ended if before.ended is not None else attempt.began)
        came = any(
            each.at <= attempt.began and abs(each.back_at - attempt.began) <= 0.001 for each in run.scenario.departures
        )
        if attempt.number == 1 and abs(waited) > 0.001 and not came:
            yield f"{attempt.activity} began {waited:g} s after {before.activity} ended"


def every_rule_fired(run: Run) -> Iterator[str]:
    """A rule that must fire and did not makes the run inconclusive."""
    fired = {rule for call in run.calls for rule in call.rules}
    for rule_id, rule in run.rules.items():
        if rule.must_fire and rule_id not in fired:
            yield f"inconclusive: {rule.fault['kind']} on {rule.service}.{rule.operation} never fired"


def the_history_is_small_and_holds_no_secret(run: Run) -> Iterator[str]:
    """No payload over 64 KiB, no picture, no signature, no key."""
    if run.history is None:
        return
    size = 0
    for event in run.history.events:
        raw = event.SerializeToString()
        size += len(raw)
        if SECRETS.search(raw) or ACCOUNT_KEY.encode() in raw:
            yield f"event {event.event_id} ({EventType.Name(event.event_type)}) holds a picture or a secret"
        for payload in _payloads(event):
            if len(payload.data) > MAX_PAYLOAD:
                yield f"event {event.event_id} has a payload of {len(payload.data)} bytes"
    if size > MAX_HISTORY:
        yield f"it has {size} bytes"


INVARIANTS: tuple[Callable[[Run], Iterator[str]], ...] = (
    every_start_reaches_a_final_state,
    answers_have_the_specified_keys,
    a_refusal_names_each_field,
    a_start_that_is_refused_for_now_says_when_to_come_again,
    an_answer_for_now_says_when_to_come_again,
    what_failed_is_said_to_people,
    what_a_service_says_of_its_failure_goes_no_further,
    progress_never_falls,
    steps_come_in_their_order,
    each_step_works_on_its_picture,
    no_call_after_the_end,
    no_job_is_submitted_twice_for_one_attempt,
    attempts_are_within_policy,
    temporal_is_told_the_policies,
    time_is_true,
    the_workflow_never_waits_by_itself,
    every_rule_fired,
    a_cancel_is_accepted,
    a_start_of_which_nobody_knows_names_its_try_on,
    what_the_user_does_is_answered_for_this_try_on,
    who_waits_is_told_what_stands_at_the_end,
    the_history_is_small_and_holds_no_secret,
    results_are_pictures,
    what_is_sent_is_what_the_user_said,
    what_comes_back_is_what_the_a100_made,
    what_does_not_show_is_kept_nowhere,
    the_workflow_keeps_what_the_user_sent,
    the_history_says_why_it_failed,
)
"""Besides these, each history is replayed (`replay`)."""


def _carried(run: Run) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what each activity was given, and what those that completed returned, as the history holds it."""
    given: dict[str, Any] = {}
    made: dict[str, Any] = {}
    for activity in activities(run.history.events if run.history else ()):
        given[activity.name] = _small_json(activity.given[0])
        if activity.outcome == "completed":
            made[activity.name] = _small_json(activity.made[0])
    return given, made


def _small_json(payload: Payload) -> Any:
    """Return what a payload holds; None when it is no JSON, which is another invariant's business."""
    try:
        return json.loads(payload.data)
    except ValueError:
        return None


def _uri(carried: Any) -> str | None:
    """Return the URI of a picture, or of the picture in a request."""
    picture = carried.get("image", carried) if isinstance(carried, dict) else None
    uri: str | None = picture.get("uri") if isinstance(picture, dict) else None
    return uri


def _payloads(message: Any) -> Iterator[Payload]:
    """Yield every payload within a protobuf message."""
    if isinstance(message, Payload):
        yield message
        return
    for descriptor, value in message.ListFields():
        if descriptor.message_type is None:
            continue
        if descriptor.message_type.GetOptions().map_entry:
            items = [item for item in value.values() if hasattr(item, "ListFields")]
        elif descriptor.is_repeated:
            items = list(value)
        else:
            items = [value]
        for item in items:
            yield from _payloads(item)
