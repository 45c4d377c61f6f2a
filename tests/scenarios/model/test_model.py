"""The model by itself: pure, free where the specification is, silent where it cannot know."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scenarios.explore.tryon.plans import allowed
from scenarios.model import Story, Undecided, stories
from scenarios.model.choices import Choices, every_way
from scenarios.plans import Plan
from scenarios.plans.plan import PlannedRule

MODEL = Path(__file__).resolve().parents[3] / "scenarios" / "model"


def plan(*rules: dict[str, Any], **more: Any) -> Plan:
    planned = tuple(PlannedRule.model_validate(rule) for rule in rules)
    return Plan.model_validate({"name": "a-plan", "story": "Made up.", "rules": planned} | more)


def rule(service: str, operation: str, kind: str, *, calls: str | None = None, **parameters: Any) -> dict[str, Any]:
    return {"service": service, "operation": operation, "calls": calls, "fault": {"kind": kind, **parameters}}


def test_it_imports_nothing_of_the_application() -> None:
    seen = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, scenarios.model.tryon; print([m for m in sys.modules if m.split('.')[0] == 'app'])",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert seen.stdout.strip() == "[]"
    for module in MODEL.glob("*.py"):
        assert "import app" not in module.read_text()
        assert "from app" not in module.read_text()


def test_every_way_to_choose_is_followed_once() -> None:
    def follow(choices: Choices) -> str:
        first = choices.either("a", "b")
        return first + (choices.either("c", "d", "e") if first == "a" else "")

    assert sorted(every_way(follow)) == ["ac", "ad", "ae", "b"]


def test_a_cancel_between_instants_has_one_story() -> None:
    (story,) = stories(plan(rule("sam3", "submit", "job_slow", seconds=60), acts=[{"do": "cancel", "at": 31}]))
    assert (story.status, story.length, story.cancel) == ("CANCELLED", 31, 200)
    assert story.attempts[-1].outcome == "cancelled"
    assert [call.at for call in story.calls if call.name == "sam3.poll"] == [2 * n for n in range(1, 16)]


def test_a_cancel_at_the_instant_of_a_poll_may_come_before_it_or_after() -> None:
    allowed = stories(plan(rule("sam3", "submit", "job_slow", seconds=60), acts=[{"do": "cancel", "at": 30}]))
    polls = {sum(call.name == "sam3.poll" for call in story.calls) for story in allowed}
    assert polls == {14, 15}
    assert {story.status for story in allowed} == {"CANCELLED"}


def test_a_cancel_at_the_instant_of_a_failure_may_meet_the_attempt_or_find_it_failed() -> None:
    hanging = rule("image_manipulator", "resize", "hang", calls="1")
    allowed = stories(plan(hanging, acts=[{"do": "cancel", "at": 27}]))
    assert {story.attempts[-1].outcome for story in allowed} == {"cancelled", "IMAGE_MANIPULATOR_TIMEOUT"}
    assert {(story.status, story.length) for story in allowed} == {("CANCELLED", 27)}


def heard_late(*rules: dict[str, Any], at: float) -> Plan:
    return plan(*rules, acts=[{"do": "cancel", "at": at, "heard": "next_heartbeat"}])


@pytest.mark.parametrize(
    ("seconds", "status", "at", "length", "outcome"),
    [
        (10, 200, 5, 6, "cancelled"),  # heartbeats are each 1.5 s
        (10, 200, 9.5, 10, "completed"),
        (10, 503, 9.5, 10, "IMAGE_MANIPULATOR_UNAVAILABLE"),  # which would be made again
        (0, 503, 0.5, 0.5, "IMAGE_MANIPULATOR_UNAVAILABLE"),  # in a backoff: at once
    ],
)
def test_a_cancel_that_is_heard_late_finds_the_attempt_at_its_next_heartbeat_or_over(
    seconds: float, status: int, at: float, length: float, outcome: str
) -> None:
    late = rule("image_manipulator", "resize", "delay", calls="1", seconds=seconds)
    refused = rule("image_manipulator", "resize", "status", calls="1", status=status)
    (story,) = stories(heard_late(late, *([refused] if status != 200 else []), at=at))
    assert (story.status, story.length, story.cancel) == ("CANCELLED", length, 200)
    assert (story.attempts[-1].activity, story.attempts[-1].outcome) == ("resize_image", outcome)


def test_the_word_of_a_new_job_brings_a_cancel_too() -> None:
    (story,) = stories(heard_late(rule("sam3", "submit", "delay", seconds=1.2), at=0.3))
    assert (story.status, story.length, story.attempts[-1].outcome) == ("CANCELLED", 1.2, "cancelled")


def test_a_cancel_at_the_instant_of_a_heartbeat_is_not_known() -> None:
    with pytest.raises(Undecided, match="at the instant of a heartbeat"):
        stories(heard_late(rule("a100", "generate", "delay", seconds=10), at=2 + 3))


def test_a_cancel_as_a_worker_comes_back_may_come_before_its_first_attempt_or_in_it() -> None:
    late, away = rule("sam3", "submit", "job_slow", seconds=60), {"at": 3, "back_at": 43}
    allowed = stories(plan(late, acts=[{"do": "cancel", "at": 43}], departures=[away]))
    assert {(story.status, story.length) for story in allowed} == {("CANCELLED", 43)}
    assert {sum(each.activity == "generate_mask" for each in story.attempts) for story in allowed} == {1, 2}


def test_a_cancel_at_the_end_may_be_too_late() -> None:
    allowed = stories(plan(acts=[{"do": "cancel", "at": 2}]))
    assert {(story.status, story.cancel) for story in allowed} == {("CANCELLED", 200), ("COMPLETED", 409)}


def test_an_answer_at_its_deadline_may_be_in_time_or_late() -> None:
    allowed = stories(plan(rule("image_manipulator", "resize", "delay", calls="1", seconds=27)))
    assert {tuple(each.began for each in story.attempts if each.activity == "resize_image") for story in allowed} == {
        (0,),
        (0, 28),
    }


@pytest.mark.parametrize(("seconds", "began"), [(26.9, (0,)), (27.1, (0, 28))])
def test_an_answer_beside_its_deadline_is_not_free(seconds: float, began: tuple[float, ...]) -> None:
    (story,) = stories(plan(rule("image_manipulator", "resize", "delay", calls="1", seconds=seconds)))
    assert tuple(each.began for each in story.attempts if each.activity == "resize_image") == began


def test_a_rule_that_cannot_fire_is_told() -> None:
    (story,) = stories(plan(rule("sam3", "submit", "reset", calls="2"), rule("sam3", "submit", "reset", calls="1")))
    assert story.fired == (True, True)
    (story,) = stories(plan(rule("birefnet", "submit", "reset")))
    assert story.fired == (False,)


def attempts(allowed: list[Story], activity: str) -> set[tuple[float, ...]]:
    return {tuple(each.began for each in story.attempts if each.activity == activity) for story in allowed}


def test_two_rules_act_on_one_call_where_they_do_not_contradict_each_other() -> None:
    late = rule("sam3", "submit", "delay", calls="1", seconds=5)
    busy = rule("sam3", "submit", "status", calls="1", status=503)
    (story,) = stories(plan(busy, late))
    assert (attempts([story], "generate_mask"), story.fired) == ({(0, 7)}, (True, True))
    (story,) = stories(plan(busy, rule("sam3", "submit", "job_failed", calls="1")))
    assert (attempts([story], "generate_mask"), story.fired) == ({(0, 2)}, (True, False))
    (story,) = stories(plan(rule("sam3", "submit", "queue", seconds=6), rule("sam3", "submit", "job_failed")))
    assert (story.code, story.fired) == ("SAM3_JOB_FAILED", (True, True))
    (story,) = stories(plan(busy, rule("sam3", "submit", "garbage", calls="1")))
    assert (attempts([story], "generate_mask"), story.fired) == ({(0, 2)}, (True, True))


@pytest.mark.parametrize(
    ("at", "places"),
    [
        (1, {(45, "GENERATING_MASK")}),
        (31, {(45, "GENERATING_MASK")}),
        (32, {(45, "GENERATING_MASK"), (70, "GENERATING_IMAGES"), None}),
        (0, {(5, "UPLOADING_IMAGE"), (15, "RESIZING_IMAGE"), (20, "CHECKING_ZOOM"), (45, "GENERATING_MASK")}),
    ],
)
def test_a_look_at_an_instant_sees_the_step_that_is_under_way(at: float, places: set[Any]) -> None:
    busy = rule("sam3", "submit", "status", calls="1", status=503, retry_after=30)
    (story,) = stories(plan(busy, acts=[{"do": "status", "at": at}]))
    assert {reply.place for reply in story.replies[0]} == places


def test_a_submit_that_is_made_again_has_the_same_key_and_another_job_another() -> None:
    def keys(*rules: dict[str, Any]) -> list[str | None]:
        (story,) = stories(plan(*rules))
        return [call.key for call in story.calls if call.name == "sam3.submit"]

    assert keys(rule("sam3", "submit", "answer_lost", calls="1")) == ["generate_mask-1", "generate_mask-1"]
    assert keys(rule("sam3", "submit", "job_failed", calls="1")) == ["generate_mask-1", "generate_mask-2"]


def test_of_lies_that_may_hide_each_other_it_says_nothing() -> None:
    empty, inverted, size = (rule("sam3", "submit", kind) for kind in ("mask_empty", "mask_inverted", "picture_size"))
    with pytest.raises(Undecided):
        stories(plan(empty, inverted))
    (story,) = stories(plan(empty, size))
    assert story.code == "SAM3_BAD_ANSWER"


def test_a_picture_under_a_name_of_the_services_own_is_read_where_no_rule_sees_it() -> None:
    named = rule("image_manipulator", "resize", "result_named")
    (story,) = stories(plan(named))
    (usual,) = stories(plan())
    reads = [sum(call.name == "blob.get" for call in each.calls) for each in (story, usual)]
    assert (story.status, reads) == ("COMPLETED", [1, 3])  # what is made of it is called after it


@pytest.mark.parametrize(
    "unknown",
    [
        {"service": "sam3", "operation": "poll", "fault": {"kind": "reset"}, "when": {"p": 0.5}},
        {"service": "sam3", "operation": "submit", "fault": {"kind": "delay", "seconds": {"exponential": 2}}},
        {"service": "sam3", "operation": "submit", "fault": {"kind": "dribble", "pause": 1}},
    ],
)
def test_what_it_cannot_know_it_does_not_say(unknown: dict[str, Any]) -> None:
    with pytest.raises(Undecided):
        stories(plan(unknown))


def test_metrics_that_may_still_be_shares_may_be_taken_or_not() -> None:
    by_half, by_more = (rule("a100", "generate", "float_noise", by=by) for by in (0.5, 1.5))
    assert {story.status for story in stories(plan(by_half))} == {"COMPLETED", "FAILED"}
    assert {story.status for story in stories(plan(by_more))} == {"FAILED"}


def test_of_a_heavy_picture_that_is_written_anew_it_says_nothing() -> None:
    heavy = rule("image_manipulator", "resize", "picture_heavy", size=16 * 1024 * 1024)
    (story,) = stories(plan(heavy))
    assert (
        sum(call.name == "blob.get" for call in story.calls)
        == sum(call.name == "blob.get" for call in stories(plan())[0].calls) + 1
    )
    with pytest.raises(Undecided):
        stories(plan(heavy, rule("image_manipulator", "resize", "result_format")))


def test_what_a_mask_in_no_scale_comes_to_is_known_of_a_new_one_alone() -> None:
    (story,) = stories(plan(rule("sam3", "submit", "mask_values", values="1-2")))
    assert (story.code, [each.number for each in story.attempts][-1]) == ("SAM3_BAD_ANSWER", 1)
    painted = rule("a100", "refine_mask", "mask_values", values="1-2")
    stroke = {"points": [{"x": 0.5, "y": 0.5}], "mode": "add", "size": 12}
    with pytest.raises(Undecided):
        stories(plan(painted, strokes=[stroke]))


def test_the_wrong_type_of_a_wrong_type_may_be_the_right_one() -> None:
    twice = rule("a100", "generate", "wrong_type", calls="1", field="result_base64")
    with pytest.raises(Undecided):
        stories(plan(twice, twice))


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        ({"maskPoints": [{"x": 0.5, "y": 1.01, "label": 1}]}, True),
        ({"maskPoints": [{"x": 0.5, "y": 1, "label": 0}]}, True),
        ({"maskPoints": [{"x": 0.5, "y": 1, "label": True}]}, True),
        ({"maskPoints": [{"x": 0, "y": 1, "label": 1}]}, False),
        ({"brushStrokes": None}, False),
        ({"brushStrokes": [{"points": [{"x": 0.5, "y": 0.5}], "mode": "add", "size": 0.5}]}, True),
        ({"sessionId": "s" * 128}, False),
        ({"sessionId": "s" * 129}, True),
        ({"originalImageBase64": "a*b"}, True),
        ({"unknown": 1}, False),
    ],
)
def test_which_requests_are_refused(body: dict[str, Any], refused: bool) -> None:
    (story,) = stories(plan(body=body))
    assert (story.status == "REFUSED") is refused


@pytest.mark.parametrize("lie", [rule("sam3", "submit", "job_late"), rule("sam3", "submit", "picture_truncated")])
def test_what_no_poll_shows_has_not_fired(lie: dict[str, Any]) -> None:
    unseen = stories(plan(lie, rule("sam3", "poll", "refuse")))
    assert [story.fired for story in unseen] == [(False, True)]
    shown = stories(plan(lie, rule("sam3", "poll", "answer_lost", calls="1")))
    assert [story.fired for story in shown] == [(True, True)]


def test_nobody_does_anything_after_the_end() -> None:
    late = plan(rule("blob", "get", "clock_skew", calls="1"), acts=({"do": "from_pages", "at": 1.5},))
    (story,) = stories(late)
    assert (story.length, story.replies) == (0, [])
    assert allowed(late) is None, "the explorer does not make it"


def test_a_worker_that_drains_lets_an_attempt_end_or_cuts_it_off() -> None:
    slow = rule("a100", "generate", "delay", calls="1", seconds=20)
    (story,) = stories(plan(slow, departures=[{"at": 5, "back_at": 90, "drain_s": 17.1}]))
    assert (story.status, story.length) == ("COMPLETED", 22)
    (story,) = stories(plan(slow, departures=[{"at": 5, "back_at": 90, "drain_s": 16.9}]))
    last = [(each.number, each.began, each.ended, each.outcome) for each in story.attempts[-2:]]
    assert last == [(1, 2, 21.9, "WORKER_SHUTDOWN"), (2, 90, 90, "completed")]


def test_a_worker_that_dies_is_missed_ten_seconds_after_the_last_heartbeat() -> None:
    slow = rule("a100", "generate", "delay", calls="1", seconds=20)
    (story,) = stories(plan(slow, departures=[{"at": 6, "back_at": 6}]))
    assert [(each.began, each.ended, each.outcome) for each in story.attempts[-2:]] == [
        (2, 15, "HEARTBEAT"),  # it beat 3 s after it began
        (17, 17, "completed"),
    ]


def test_a_job_goes_on_without_a_worker() -> None:
    slow = rule("sam3", "submit", "job_slow", calls="1", seconds=20)
    (story,) = stories(plan(slow, departures=[{"at": 5, "back_at": 30, "drain_s": 0}]))
    assert [call.at for call in story.calls if call.service == "sam3"] == [0, 2, 4, 30]


def test_the_last_attempt_that_is_cut_off_is_a_step_that_timed_out() -> None:
    hangs = rule("a100", "generate", "hang", calls="1-3")
    leaves = [{"at": at, "back_at": at + 1, "drain_s": 0} for at in (5, 12, 20)]
    (story,) = stories(plan(hangs, departures=leaves))
    assert (story.status, story.code, story.step, story.length) == ("FAILED", "STEP_TIMEOUT", "GENERATING_IMAGES", 20)


def test_a_look_while_no_worker_is_there_is_told_the_step_that_waits_for_one() -> None:
    acts = [{"do": "status", "at": 20}]
    (story,) = stories(plan(departures=[{"at": 1, "back_at": 30, "drain_s": 5}], acts=acts))
    assert [reply.place for reply in story.replies[0]] == [(70, "GENERATING_IMAGES")]


@pytest.mark.parametrize(
    ("instead", "after", "code"),
    [
        ({"kind": "status", "status": 202, "body": {}}, 2 * 5, "SAM3_BAD_ANSWER"),
        ({"kind": "status", "status": 200, "body": {"hello": "world"}}, 18 * 5, "SAM3_BAD_ANSWER"),
        ({"kind": "status", "status": 503, "body": "busy"}, 4 * 5, "SAM3_UNAVAILABLE"),
        ({"kind": "garbage", "body": "<html>"}, 6 * 5, "SAM3_BAD_ANSWER"),
        ({"kind": "status", "status": 503}, 120, "SAM3_TIMEOUT"),  # the fake's own words are more than the limit lets
    ],
)
def test_a_body_of_a_few_bytes_dribbles_no_longer_than_it_is(instead: dict[str, Any], after: float, code: str) -> None:
    slowly = rule("sam3", "submit", "dribble", calls="1", pause=5)
    said: dict[str, Any] = {"service": "sam3", "operation": "submit", "calls": "1", "fault": instead}
    (story,) = stories(plan(said, slowly))
    failed = next(each for each in story.attempts if each.outcome != "completed")
    assert failed.outcome == code
    assert failed.ended == pytest.approx(after)


@pytest.mark.parametrize(("body", "calls"), [([], 1), ("[1]", 1), (7, 1), ("null", 3), ("busy", 3)])
def test_json_that_is_no_object_has_another_shape_and_is_not_asked_for_again(body: object, calls: int) -> None:
    (story,) = stories(plan(rule("a100", "generate", "status", status=200, body=body)))
    assert (story.status, sum(call.name == "a100.generate" for call in story.calls)) == ("FAILED", calls)
