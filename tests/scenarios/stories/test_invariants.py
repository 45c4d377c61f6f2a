"""Each invariant notices its breach."""

import dataclasses
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory

from fakes.kit.digests import digest
from scenarios.pipeline import BY_ACTIVITY
from scenarios.scenario import Act, Doing, Lost, rule
from scenarios.stories.acts import Answered
from scenarios.stories.invariants import breaches
from scenarios.stories.notes import NOTE
from scenarios.stories.run import Run
from scenarios.stories.timelines import Happening
from scenarios.stories.user import ORIGINS
from scenarios.virtual import Attempt
from scenarios.virtual.limits import Limits
from tests.scenarios.stories.made_runs import call, completed, failed, generated, with_call

RESIZED = {"uri": "azure://c/w-resized.jpg", "width": 120, "height": 160}


def history(run: Run, payload: bytes = b"") -> None:
    """Give a run a history of one activity's result."""
    last = HistoryEvent(event_id=9, event_type=EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED)
    last.activity_task_completed_event_attributes.result.payloads.append(Payload(data=payload))
    run.history = WorkflowHistory(run.workflow_id, [last])


def carry(run: Run, given: dict[str, object], made: dict[str, object]) -> None:
    """Add what activities were given, and what they returned in virtual time."""
    assert run.history
    events = list(run.history.events)
    for number, (activity, request) in enumerate(given.items(), 20):
        scheduled = HistoryEvent(event_id=number, event_type=EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED)
        begun = scheduled.activity_task_scheduled_event_attributes
        begun.activity_type.name = activity
        begun.input.payloads.append(Payload(data=json.dumps(request).encode()))
        begun.task_queue.name = f"q{'-a100' * (BY_ACTIVITY[activity].service == 'a100')}"
        retry = BY_ACTIVITY[activity].retry
        begun.retry_policy.initial_interval.FromTimedelta(timedelta(seconds=retry.first_s))
        begun.retry_policy.maximum_interval.FromTimedelta(timedelta(seconds=retry.longest_s))
        begun.retry_policy.backoff_coefficient = retry.coefficient
        events.append(scheduled)
        if activity in made:
            ended = HistoryEvent(event_type=EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED)
            ended.activity_task_completed_event_attributes.scheduled_event_id = number
            result = json.dumps(made[activity]).encode()
            ended.activity_task_completed_event_attributes.result.payloads.append(Payload(data=result))
            events.append(ended)
    run.history = WorkflowHistory(run.workflow_id, events)


def test_a_run_in_order_breaks_nothing() -> None:
    for run in (completed(), failed()):
        history(run, payload=b"{}")
        carry(run, {"resize_image": {}, "generate_mask": {"image": RESIZED}}, {"resize_image": RESIZED})
        assert list(breaches(run)) == []


def stay_open(run: Run) -> None:
    run.status = "RUNNING"


def answer_more(run: Run) -> None:
    run.answer["debug"] = 1


def fall_back(run: Run) -> None:
    run.samples.append((20, "CHECKING_ZOOM"))


def tell_another_progress(run: Run) -> None:
    run.samples.append((70, "REFINING_MASK"))


def take_another_picture(run: Run) -> None:
    history(run)
    carry(run, {"resize_image": {}, "generate_mask": {"image": {"uri": "azure://c/w.jpg"}}}, {"resize_image": RESIZED})


def take_another_photo(run: Run) -> None:
    history(run)
    carry(run, {"resize_image": {}}, {"resize_image": RESIZED | {"width": 160, "height": 120}})


def swap_activities(run: Run) -> None:
    run.timeline.attempts.append(Attempt("resize_image", 1, 4.0, 4.0, "completed"))


def call_afterwards(run: Run) -> None:
    run.calls.append(call(at=4.5))


def submit_twice(run: Run) -> None:
    with_call(run, 1, attempt=1)


def try_too_often(run: Run) -> None:
    run.timeline.attempts += [Attempt("generate_mask", number, 4.0, 4.0) for number in (3, 4)]


def skip_an_attempt(run: Run) -> None:
    run.timeline.attempts[2].number = 3


def wait_by_itself(run: Run) -> None:
    run.timeline.attempts[3].began = 4.5


def wait_too_long_between_attempts(run: Run) -> None:
    history(run)
    carry(run, {"generate_mask": {}}, {})
    assert run.history
    told = run.history.events[-1].activity_task_scheduled_event_attributes
    told.retry_policy.maximum_interval.FromTimedelta(timedelta(seconds=31))


def go_into_another_queue(run: Run) -> None:
    history(run)
    carry(run, {"generate_mask": {}}, {})
    assert run.history
    run.history.events[-1].activity_task_scheduled_event_attributes.task_queue.name = "q-a100"


def have_another_timeout(run: Run) -> None:
    run.timeline.attempts[1].limits = Limits(start_to_close=131, heartbeat=10)


def have_another_heartbeat(run: Run) -> None:
    run.timeline.attempts[1].limits = Limits(start_to_close=130, heartbeat=11)


def be_untrue(run: Run) -> None:
    run.timeline.given_twice = 1


def lose_the_fault(run: Run) -> None:
    with_call(run, 0, rule=None)


def refuse_the_cancel(run: Run) -> None:
    run.cancel_answer = (409, {})


def hold_a_signature(run: Run) -> None:
    history(run, payload=b"https://store/blob?sv=1&sig=abc")


def hold_a_picture(run: Run) -> None:
    history(run, payload=b"\xff\xd8\xff\xe0....")


def hold_too_much(run: Run) -> None:
    history(run, payload=b"x" * 65_537)


def answer_no_picture(run: Run) -> None:
    run.answer["result"]["fluxResultBase64"] = "bm8gcGljdHVyZQ=="


def forget_the_picture(run: Run) -> None:
    run.answer["result"]["geminiResultBase64"] = None


def send_another_point(run: Run) -> None:
    run.scenario = dataclasses.replace(run.scenario, points=((0.5, 0.5, 1), (0.02, 0.02, 0)))


def turn_a_label(run: Run) -> None:
    x, y, _ = (*run.scenario.mask_points()[0].values(),)
    run.scenario = dataclasses.replace(run.scenario, points=((x, y, 1), (0.02, 0.02, 1)))


def send_another_stroke(run: Run) -> None:
    stroke = {"points": [{"x": 0.5, "y": 0.5}], "mode": "add", "size": 12}
    run.scenario = dataclasses.replace(run.scenario, strokes=(stroke,))
    sent = digest({"strokes": [{"points": [[0.5, 0.5]], "mode": "remove", "size": 12.0}]})
    run.calls.append(call("a100", "refine_mask", at=4.0, sent=sent))


def swap_the_models(run: Run) -> None:
    result = run.answer["result"]
    result["fluxResultBase64"], result["geminiResultBase64"] = (
        result["geminiResultBase64"],
        result["fluxResultBase64"],
    )


def give_gemini_metrics_to_flux(run: Run) -> None:
    run.answer["result"]["fluxMetrics"] = run.answer["result"]["geminiMetrics"]


def lose_the_fidelity(run: Run) -> None:
    run.answer["result"]["fluxFidelityVizBase64"] = None


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (stay_open, "every start reaches a final state: the status is RUNNING"),
        (answer_more, "answers have the specified keys"),
        (fall_back, "progress never falls: a client saw [5, 45, 20]"),
        (tell_another_progress, "progress never falls: a client saw 70 at REFINING_MASK"),
        (take_another_picture, "each step works on its picture: generate_mask got azure://c/w.jpg"),
        (take_another_photo, "each step works on its picture: what was resized has 160x120 pixels"),
        (swap_activities, "steps come in their order: activities"),
        (call_afterwards, "no call after the end: sam3.poll at 4.5 s; the end was at 4.0 s"),
        (submit_twice, "no job is submitted twice for one attempt: sam3 got 2 in attempt 1"),
        (try_too_often, "attempts are within policy: generate_mask had 4 attempts; its policy allows 3"),
        (skip_an_attempt, "attempts are within policy: generate_mask had the attempts [1, 3]"),
        (wait_by_itself, "the workflow never waits by itself: generate_images began 0.5 s after generate_mask ended"),
        (
            wait_too_long_between_attempts,
            "temporal is told the policies: of generate_mask it was told to wait (2.0, 2.0, 31.0)",
        ),
        (go_into_another_queue, "temporal is told the policies: generate_mask was put into q-a100"),
        (have_another_timeout, "temporal is told the policies: of generate_mask it was told {'start_to_close': 131"),
        (have_another_heartbeat, "temporal is told the policies: of generate_mask it was told {'start_to_close': 130"),
        (
            be_untrue,
            "time is true: inconclusive: the server gave 1 of the attempts out twice: the machine was too busy",
        ),
        (lose_the_fault, "every rule fired: inconclusive: status on sam3.submit never fired"),
        (refuse_the_cancel, "a cancel is accepted: it answered (409, {})"),
        (hold_a_signature, "the history is small and holds no secret: event 9"),
        (hold_a_picture, "the history is small and holds no secret: event 9"),
        (hold_too_much, "the history is small and holds no secret: event 9 has a payload of 65537 bytes"),
        (answer_no_picture, "results are pictures: fluxResultBase64 is no JPEG"),
        (forget_the_picture, "results are pictures: gemini has metrics without a picture"),
        (send_another_point, "what is sent is what the user said: sam3.submit call 2 got other points"),
        (turn_a_label, "what is sent is what the user said: sam3.submit call 2 got other labels"),
        (send_another_stroke, "what is sent is what the user said: a100.refine_mask call 1 got other strokes"),
        (swap_the_models, "what comes back is what the a100 made: geminiResultBase64 is not the result_gemini"),
        (give_gemini_metrics_to_flux, "what comes back is what the a100 made: fluxMetrics is not the metrics"),
        (lose_the_fidelity, "what comes back is what the a100 made: fluxFidelityVizBase64 is not the fidelity_viz"),
    ],
)
def test_each_invariant_notices_its_breach(break_it: Callable[[Run], None], said: str) -> None:
    run = completed()
    break_it(run)
    assert [breach for breach in breaches(run) if breach.startswith(said)], list(breaches(run))


def test_a_failure_that_blames_another_step_is_noticed() -> None:
    run = failed()
    run.answer["error"]["failedStep"] = "RESIZING_IMAGE"
    assert [breach for breach in breaches(run) if "RESIZING_IMAGE is said to have failed" in breach]


@pytest.mark.parametrize(
    "said",
    [
        "Azure refused the request with status 409, None",
        "SAM3 answered with status null",
        "SAM3 answered: ",
        " ",
        "ConnectError('no route')",
        "<httpx.Response object at 0x7f00>",
    ],
)
def test_a_failure_that_is_said_in_no_sentence_is_noticed(said: str) -> None:
    wanted = f"what failed is said to people: {said!r}"
    told, tried = failed(), completed()
    told.answer["error"]["message"] = said
    tried.timeline.attempts[1].message = said
    assert [breach for breach in breaches(told) if breach == wanted]
    assert [breach for breach in breaches(tried) if breach == wanted]


def test_a_failure_with_another_key_is_noticed() -> None:
    run = failed()
    run.answer["error"]["trace"] = "..."
    assert [breach for breach in breaches(run) if "the error has" in breach]


@pytest.mark.parametrize(
    ("off", "dress", "breaks"),
    [
        (9e-7, str, False),
        (-9e-7, lambda text: f"data:image/jpeg;base64,{text}", False),
        (0, lambda text: "\n".join(text[place : place + 76] for place in range(0, len(text), 76)) + "\n", False),
        (0, lambda text: text.replace("+", "-").replace("/", "_"), False),
        (0, lambda text: text.rstrip("="), False),
        (2e-6, str, True),
        (0, lambda text: text.swapcase(), True),
    ],
)
def test_the_a100s_answer_may_come_in_another_dress(off: float, dress: Callable[[str], str], breaks: bool) -> None:
    run = completed()
    answer = generated()
    answer["metrics"]["iou"] += off
    answer = {name: dress(value) if isinstance(value, str) else value for name, value in answer.items()}
    with_call(run, -1, answered=digest(answer))
    assert any("what comes back" in breach for breach in breaches(run)) is breaks


@pytest.mark.parametrize(
    ("status", "message", "further"),
    [
        (400, "SAM3 answered with status 400", False),
        (400, 'SAM3 answered with status 400: {"detail": "no such point"}', True),
        (200, "SAM3 has no such point", False),
    ],
)
def test_what_a_service_says_of_its_failure_is_told_to_nobody(status: int, message: str, further: bool) -> None:
    run = failed()
    run.answer["error"]["message"] = message
    with_call(run, 0, status=status, answered={"detail": "no such point", "code": "POINT"})
    assert any("goes no further" in breach for breach in breaches(run)) is further


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        (b"a picture", None),
        (b"a picture, " + NOTE + b" and more", "staging/1 in the store holds the words that stand beside the picture"),
        (None, "the store does not keep staging/1"),
    ],
    ids=["cut out", "left in", "not there"],
)
def test_the_store_keeps_no_words_that_stand_beside_a_picture(kept: bytes | None, said: str | None) -> None:
    run = completed()
    run.kept = {"staging/1": kept, "1.jpg": b"a picture"}
    wanted = [f"what does not show is kept nowhere: {said}"] if said else []
    assert [breach for breach in breaches(run) if breach.startswith("what does not")] == wanted


def test_a_broken_picture_of_a_result_is_left_out() -> None:
    run = completed()
    run.rules["broken"] = rule("a100", "generate", "result_broken", field="fidelity_viz_base64")
    place = next(place for place, each in enumerate(run.calls) if each.name == "a100.generate")
    with_call(run, place, rule="broken")
    assert any("fluxFidelityVizBase64 is not" in breach for breach in breaches(run)), "it is given out all the same"
    lose_the_fidelity(run)
    assert not any("what comes back" in breach for breach in breaches(run))


def test_the_last_answer_is_that_of_the_last_attempt() -> None:
    run = completed()
    place = next(place for place, each in enumerate(run.calls) if each.name == "a100.generate")
    with_call(run, place, attempt=2)
    busy = dataclasses.replace(
        run.calls[place], service="a100_spare", attempt=1, status=503, answered=digest({"error": "busy"})
    )
    run.calls.append(busy)  # at the same instant, told behind
    assert not any("what comes back" in breach for breach in breaches(run))


def test_a_rule_that_acted_beside_another_has_fired() -> None:
    run = completed()
    run.rules["made-id.1"] = rule("sam3", "submit", "delay", seconds=1)
    assert any("delay on sam3.submit never fired" in breach for breach in breaches(run))
    with_call(run, 0, also=("made-id.1",))
    assert not any("never fired" in breach for breach in breaches(run))


GOOD_STREAM = (("progress", 45, "GENERATING_MASK"), ("progress", 70, "GENERATING_IMAGES"), ("end", None, None))


@pytest.mark.parametrize(
    ("own", "events", "says"),
    [
        (True, (), None),
        (True, GOOD_STREAM, None),
        (False, (), "events at 1 was answered for another"),
        (True, GOOD_STREAM[1::-1] + GOOD_STREAM[2:], "the stream told [(70, "),
        (True, GOOD_STREAM[:1] * 2 + GOOD_STREAM[2:], "the stream told [(45, "),
        (True, GOOD_STREAM[:2], "the stream told ['progress', 'progress']"),
        (True, (*GOOD_STREAM, GOOD_STREAM[2]), "the stream told ['progress', 'progress', 'end', 'end']"),
    ],
)
def test_what_the_user_is_answered_is_looked_at(own: bool, events: tuple[Any, ...], says: str | None) -> None:
    run = completed()
    act = Act("events", 1)
    run.scenario = dataclasses.replace(run.scenario, acts=(act,))
    assert any("inconclusive: ended at 4.0 s, before" in breach for breach in breaches(run))
    run.acts = [Answered(act, 200, "COMPLETED", None, own, None, events)]
    found = [breach.partition(": ")[2] for breach in breaches(run) if breach.startswith("what the user does")]
    assert [breach.startswith(says or "nothing") for breach in found] == ([True] if says else [])


def _breaches_of(answered: Answered, invariant: str = "what the user does") -> list[str]:
    run = completed()
    run.scenario = dataclasses.replace(run.scenario, acts=(answered.act,))
    run.acts = [answered]
    return [breach.partition(": ")[2] for breach in breaches(run) if breach.startswith(invariant)]


def _stream(do: Doing, *events: tuple[str, int | None, str | None], more: int = 204) -> list[str]:
    return _breaches_of(Answered(Act(do, 1), 200, "COMPLETED", None, True, events=events, more=more))


def test_a_stream_that_is_taken_up_anew_is_told_how_it_stands_now() -> None:
    first, second, end = GOOD_STREAM
    assert _stream("events_anew", first, first, second, end) == []
    assert _stream("events_anew", end, end) == []
    assert _stream("events_anew", second, first, end) == ["the stream told 70, and then [(45, 'GENERATING_MASK')]"]
    assert _stream("events_anew", first, second, second, end)[0].startswith("the stream told [(70, ")


def test_a_stream_that_is_taken_up_after_the_end_is_told_nothing_but_that() -> None:
    first, second, end = GOOD_STREAM
    assert _stream("events_late", first, end) == []
    assert _stream("events_late", first, second, end) == ["after the end the stream told ['progress', 'end']"]
    assert _stream("events", first, end, more=200) == ["the stream after its end was answered 200"]


@pytest.mark.parametrize(
    ("code", "again_after", "right"),
    [
        ("AZURE_UNAVAILABLE", "5", True),
        ("AZURE_UNAVAILABLE", None, False),
        ("AZURE_REJECTED", None, True),
        ("AZURE_REJECTED", "5", False),
    ],
)
def test_an_answer_for_now_says_when_to_come_again(code: str, again_after: str | None, right: bool) -> None:
    told = Answered(Act("results_busy", "end"), 503, None, code, own=True, again_after=again_after)
    assert (_breaches_of(told, "an answer for now") == []) is right


@pytest.mark.parametrize(("known", "right"), [(0, True), (40, True), (55, False)])
def test_who_waits_is_told_what_stands_at_the_end(known: int, right: bool) -> None:
    told = Answered(Act("wait_through", 1), 200, "RUNNING", None, own=True, place=(40, "GENERATING_MASK"), known=known)
    assert (_breaches_of(told, "who waits") == []) is right


def test_pages_of_allowed_origins_read_everything_and_others_nothing() -> None:
    good = dict.fromkeys(ORIGINS[:2], ("start", "status", "refusal")) | dict.fromkeys(ORIGINS[2:], ())
    assert _breaches_of(Answered(Act("from_pages", 1), 200, None, None, True, pages=good)) == []
    strange = good | {ORIGINS[2]: ("start",)}
    assert _breaches_of(Answered(Act("from_pages", 1), 200, None, None, True, pages=strange)) != []
    silent = good | {ORIGINS[0]: ("start", "status")}
    assert _breaches_of(Answered(Act("from_pages", 1), 200, None, None, True, pages=silent)) != []


PROBLEM = {"field": "sessionId", "message": "is too long"}


@pytest.mark.parametrize(
    ("message", "details", "breaks"),
    [
        ("sessionId: is too long", [PROBLEM], False),
        ("sessionId: is too long (and 1 more)", [PROBLEM] * 2, False),
        ("sessionId: is too long (and 29 more)", [PROBLEM] * 20, False),
        ("sessionId: is too long (and 0 more)", [PROBLEM], True),
        ("sessionId: is too long", [PROBLEM] * 2, True),
        ("sessionId: is too long (and 2 more)", [PROBLEM] * 2, True),
        ("sessionId: is too long (and 29 more)", [PROBLEM] * 30, True),
        ("sessionId: is", [PROBLEM], True),
        ("sessionId: is too long, says nobody", [PROBLEM], True),
        ("sessionId: is too long", [], True),
    ],
)
def test_a_refusal_names_the_fields(message: str, details: list[dict[str, str]], breaks: bool) -> None:
    run = failed()
    run.status, run.answer = "REFUSED", {}
    run.start_answer = (422, {"error": {"code": "INVALID_REQUEST", "message": message, "details": details}})
    assert any("names each field" in breach for breach in breaches(run)) is breaks


def test_a_start_of_which_nobody_knows_has_to_name_its_try_on() -> None:
    run = completed()
    run.scenario = dataclasses.replace(run.scenario, lost=Lost(start=1, refused=2))
    unsaid = {"error": {"code": "TEMPORAL_UNAVAILABLE"}}
    said = unsaid | {"workflowId": run.workflow_id}
    run.repeated = [("start", 503, said), ("start", 503, unsaid)]
    assert list(breaches(run)) == []
    for wrong in ([("start", 503, unsaid)] * 2, [("start", 503, said)] * 2):
        run.repeated = wrong
        assert [each.partition(":")[0] for each in breaches(run)] == ["a start of which nobody knows names its try on"]


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ((409, {"status": "COMPLETED"}), True),
        ((409, {"status": "CANCELLED"}), False),
        ((409, {}), False),
        ((200, {"status": "CANCELLED"}), False),
    ],
)
def test_a_cancel_that_the_end_overtook_is_told_that_end(answer: tuple[int, dict[str, str]], right: bool) -> None:
    run = completed()
    run.scenario = dataclasses.replace(run.scenario, cancel_at=1, cancel_heard="after_the_end")
    run.timeline.happenings.append(Happening(1, "cancel"))
    run.cancel_answer = (answer[0], {"workflowId": run.workflow_id, **answer[1]})
    wrong = [] if right else ["a cancel is accepted"]
    assert [each.partition(":")[0] for each in breaches(run)] == wrong


def test_a_cancel_that_is_asked_again_may_meet_its_own_end_and_nothing_else() -> None:
    run = completed()
    run.cancel_answer = (409, {"workflowId": run.workflow_id, "status": "CANCELLED", "error": {}})
    wrong = [breach.partition(":")[0] for breach in breaches(run)]
    assert wrong == ["a cancel is accepted"]
    run.repeated = [("cancel", 503, {})]
    assert list(breaches(run)) == []
    run.cancel_answer = (409, {"workflowId": run.workflow_id, "status": "COMPLETED", "error": {}})
    assert [breach.partition(":")[0] for breach in breaches(run)] == ["a cancel is accepted"]


RESIZE = {"image_uri": "azure://c/made-id.jpg", "max_dimension": 1536}


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        (RESIZE, None),
        (RESIZE | {"max_dimension": 1024}, "got other max_dimension: 1024, not 1536"),
        (
            RESIZE | {"image_uri": "azure://c/staging/made-id"},
            "got azure://c/staging/made-id, which is not this try-on",
        ),
    ],
)
def test_what_is_resized_is_the_photo(sent: dict[str, Any], says: str | None) -> None:
    run = completed()
    run.calls.insert(0, call("image_manipulator", "resize", sent=sent))
    found = [breach for breach in breaches(run) if "image_manipulator.resize" in breach]
    assert [says in breach for breach in found if says] == ([True] if says else [])
    assert bool(found) is bool(says)


@pytest.mark.parametrize(
    ("change", "session", "says"),
    [
        ({}, "mine", None),
        ({"image": "azure://c/staging/other-id"}, "mine", "it began with azure://c/staging/other-id"),
        ({"mask_points": []}, "mine", "it began with other mask_points: []"),
        ({}, "yours", "its memo has the session 'yours', not 'mine'"),
    ],
)
def test_what_a_workflow_begins_with_is_looked_at(change: dict[str, Any], session: str, says: str | None) -> None:
    run = completed()
    run.scenario = dataclasses.replace(run.scenario, body={"sessionId": "mine"})
    sent: dict[str, Any] = {"image": "azure://c/staging/made-id", "mask_points": run.scenario.mask_points()}
    given = sent | {"brush_strokes": [], "session_id": "mine"} | change
    first = HistoryEvent(event_id=1, event_type=EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED)
    begun = first.workflow_execution_started_event_attributes
    begun.input.payloads.append(Payload(data=json.dumps(given).encode()))
    begun.memo.fields["sessionId"].data = json.dumps(session).encode()
    run.history = WorkflowHistory(run.workflow_id, [first])
    found = [breach.partition(": ")[2] for breach in breaches(run) if breach.startswith("the workflow keeps")]
    assert [breach.startswith(says or "nothing") for breach in found] == ([True] if says else [])


@pytest.mark.parametrize(
    ("code", "cause", "says"),
    [
        ("SAM3_TIMEOUT", "generate_mask", None),
        ("SAM3_REJECTED", "generate_mask", "it has ('SAM3_REJECTED', "),
        ("SAM3_TIMEOUT", "resize_image", "its cause is resize_image, and generate_mask was the last activity"),
    ],
)
def test_why_it_failed_stands_in_the_history(code: str, cause: str, says: str | None) -> None:
    run = failed()
    last = HistoryEvent(event_id=9, event_type=EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED)
    failure = last.workflow_execution_failed_event_attributes.failure
    failure.message, failure.application_failure_info.type = "SAM3 did not answer in time", code
    failure.cause.activity_failure_info.activity_type.name = cause
    failure.cause.cause.message = "SAM3 did not answer in time"
    run.history = WorkflowHistory(run.workflow_id, [last])
    found = [breach.partition(": ")[2] for breach in breaches(run) if breach.startswith("the history says why")]
    assert [breach.startswith(says or "nothing") for breach in found] == ([True] if says else [])


def test_a_run_in_real_time_shows_no_attempts_and_is_judged_all_the_same() -> None:
    run = failed()
    run.timeline.attempts.clear()
    last = HistoryEvent(event_id=9, event_type=EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED)
    failure = last.workflow_execution_failed_event_attributes.failure
    failure.message, failure.application_failure_info.type = "another", str(run.error["code"])
    failure.cause.activity_failure_info.activity_type.name = "generate_mask"
    failure.cause.cause.message = "SAM3 did not answer in time"
    run.history = WorkflowHistory(run.workflow_id, [last])
    found = [breach for breach in breaches(run) if breach.startswith("the history says why")]
    assert len(found) == 1, "the words are other ones, and nothing is said of the last activity"


def test_a_look_that_temporal_did_not_answer_proves_nothing() -> None:
    run = completed()
    run.unanswered = 1
    assert any("inconclusive: 1 requests were answered 503" in breach for breach in breaches(run))
