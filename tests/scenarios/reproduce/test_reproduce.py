"""From a history to a scenario: what is read, what is inferred, and that it goes the same way."""

import dataclasses
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from scenarios.explore.tryon.drawn import drawn
from scenarios.model import Story, stories
from scenarios.photos import PHOTOS
from scenarios.plans import Plan
from scenarios.plans.plan import PlannedAct, PlannedDeparture, PlannedRule
from scenarios.reproduce.exported import sequence
from scenarios.reproduce.facts import Facts, NoTryOnError, Tried, differs, events_of, of_story, read
from scenarios.reproduce.inference import infer
from scenarios.reproduce.latencies import latencies
from scenarios.reproduce.written import told
from tests.command import Command, commanding

RECORDED = Path(__file__).parents[2] / "app" / "pipeline" / "histories"


@pytest.fixture
async def command(tmp_path: Path) -> AsyncIterator[Command]:
    async with commanding(tmp_path, "scenarios") as command:
        yield command


def recorded(name: str) -> dict[str, Any]:
    return json.loads((RECORDED / f"{name}.json").read_text())  # type: ignore[no-any-return]


# ---------------------------------------------------------------- reading


def test_a_history_tells_activities_attempts_and_the_end() -> None:
    failed = read(json.dumps(recorded("failed")), "failed.json")
    assert (failed.status, failed.code, failed.step) == ("FAILED", "INVALID_IMAGE", "UPLOADING_IMAGE")
    assert [(each.activity, each.attempts, each.outcome) for each in failed.tried] == [
        ("upload_to_azure", 1, "INVALID_IMAGE")
    ]
    cancelled = read(json.dumps(recorded("cancelled")), "cancelled.json")
    assert cancelled.status == "CANCELLED"
    assert cancelled.tried[-1].outcome == "cancelled"
    assert cancelled.cancel_at is not None
    assert cancelled.far is True
    whole = read(json.dumps({"history": recorded("completed-with-strokes")}), "wrapped.json")
    assert [each.activity for each in whole.tried][-2:] == ["refine_mask", "generate_images"]
    assert len(whole.strokes) == 1
    assert whole.points


def renamed() -> dict[str, Any]:
    history = recorded("failed")
    history["events"][0]["workflowExecutionStartedEventAttributes"]["workflowType"]["name"] = "Order"
    return history


def unended() -> dict[str, Any]:
    history = recorded("failed")
    del history["events"][-1]
    return history


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is no JSON"),
        ("[]", "has no `events`"),
        ('{"events": []}', "has no `events`"),
        ('{"events": [{"eventId": "x"}]}', "cannot be read"),
        (json.dumps(renamed()), "is the history of Order, not of a JewelryGenerationWorkflow"),
        (json.dumps(unended()), "has not ended"),
    ],
)
def test_what_is_no_try_on_is_refused_with_words(text: str, said: str) -> None:
    with pytest.raises(NoTryOnError, match=r"^here\.json: ") as caught:
        read(text, "here.json")
    assert said in str(caught.value)


def test_the_failure_before_the_last_attempt_is_read() -> None:
    history = recorded("completed")
    for event in history["events"]:
        began = event.get("activityTaskStartedEventAttributes")
        if began and began["scheduledEventId"] == "5":
            began["attempt"] = 3
            failure = {"message": "busy", "applicationFailureInfo": {"type": "AzureUnavailableError"}}
            began["lastFailure"] = failure
    upload = read(json.dumps(history), "history.json").tried[0]
    assert (upload.attempts, upload.outcome, upload.earlier) == (3, "completed", "AZURE_UNAVAILABLE")


def test_a_cancel_that_finds_an_activity_waiting_tells_no_attempts() -> None:
    history = recorded("cancelled")
    begun = next(each for each in history["events"] if each["eventId"] == "35")
    history["events"].remove(begun)
    last = read(json.dumps(history), "history.json").tried[-1]
    assert (last.attempts, last.outcome) == (0, "cancelled")
    assert "waiting, cancelled" in read(json.dumps(history), "history.json").way()[-2]


def test_an_activity_that_was_asked_to_stop_is_cancelled_whatever_it_came_to() -> None:
    history = recorded("cancelled")
    end = next(each for each in history["events"] if each["eventId"] == "36")
    end["eventType"] = "EVENT_TYPE_ACTIVITY_TASK_COMPLETED"
    end["activityTaskCompletedEventAttributes"] = end.pop("activityTaskCanceledEventAttributes")
    del end["activityTaskCompletedEventAttributes"]["latestCancelRequestedEventId"]
    text = json.dumps(history)
    assert read(text, "history.json").tried[-1].outcome == "cancelled"
    assert sequence(events_of(text, "history.json")) == sequence(
        events_of(json.dumps(recorded("cancelled")), "cancelled.json")
    )


def test_two_histories_are_compared_by_what_activities_did_the_cancel_and_the_end() -> None:
    assert sequence(events_of(json.dumps(recorded("failed")), "failed.json")) == [
        "upload_to_azure scheduled",
        "upload_to_azure attempt 1",
        "upload_to_azure failed INVALID_IMAGE",
        "FAILED INVALID_IMAGE",
    ]
    cancelled = sequence(events_of(json.dumps(recorded("cancelled")), "cancelled.json"))
    assert cancelled[-4:] == [
        "cancel requested",
        "generate_mask attempt 1",
        "generate_mask cancelled",
        "CANCELLED",
    ]


# ---------------------------------------------------------------- inferring


def known(plan: Plan, story: Story) -> Facts:
    """What a history of this story would tell."""
    asked = any(each.activity == "check_zoom" and each.outcome == "completed" for each in story.attempts)
    return dataclasses.replace(
        of_story(story),
        cancel_at=plan.cancel_at if story.status == "CANCELLED" else None,
        far=PHOTOS[plan.photo].far if asked else None,
        strokes=tuple(
            {"points": [(spot.x, spot.y) for spot in stroke.points], "mode": stroke.mode, "size": stroke.size}
            for stroke in plan.strokes
        ),
    )


def ruled(service: str, operation: str, calls: str, **fault: Any) -> PlannedRule:
    return PlannedRule(service=service, operation=operation, calls=calls, fault=fault)


@pytest.mark.parametrize(
    "plan",
    [
        Plan(name="a", story="Busy twice.", rules=(ruled("sam3", "submit", "1-2", kind="status", status=503),)),
        Plan(name="a", story="Never back.", rules=(ruled("birefnet", "submit", "1-", kind="refuse"),), photo="far"),
        Plan(name="a", story="Stuck.", rules=(ruled("sam3", "submit", "1", kind="job_stuck"),)),
        Plan(
            name="a",
            story="Told to wait.",
            rules=(ruled("sam3", "submit", "1", kind="status", status=429, retry_after=40),),
        ),
        Plan(
            name="a",
            story="Two in a row.",
            rules=(
                ruled("image_manipulator", "resize", "1", kind="status", status=503),
                ruled("image_manipulator", "zoom_check", "1", kind="status", status=400),
            ),
        ),
        pytest.param(Plan(name="a", story="Busy, then the store refuses.", rules=(
            ruled("sam3", "submit", "1", kind="status", status=503),
            ruled("blob", "get", "3", kind="status", status=403),
        )), marks=pytest.mark.long("every kind of fault is tried first")),
        Plan(
            name="a",
            story="Cancelled while it is slow.",
            rules=(ruled("a100", "generate", "1", kind="delay", seconds=40),),
            acts=(PlannedAct(do="cancel", at=20),),
        ),
        Plan(
            name="a",
            story="Cancelled between two attempts.",
            rules=(ruled("image_manipulator", "resize", "1-", kind="status", status=503),),
            acts=(PlannedAct(do="cancel", at=5),),
        ),
        Plan(
            name="a",
            story="Cancelled just before the poll that finds the mask's job done.",
            acts=(PlannedAct(do="cancel", at=1.8, heard="next_heartbeat"),),
        ),
        Plan(
            name="a",
            story="Cancelled just before an attempt fails.",
            rules=(
                ruled("image_manipulator", "zoom_check", "1", kind="delay", seconds=4),
                ruled("image_manipulator", "zoom_check", "1", kind="status", status=503),
            ),
            acts=(PlannedAct(do="cancel", at=3.5, heard="next_heartbeat"),),
        ),
        Plan(
            name="a",
            story="Both A100s away.",
            rules=(ruled("a100", "health", "1-", kind="refuse"), ruled("a100_spare", "health", "1-", kind="refuse")),
        ),
        Plan(
            name="a",
            story="Both A100s away from the second picture's step on.",
            rules=(ruled("a100", "health", "2-", kind="refuse"), ruled("a100_spare", "health", "1-", kind="refuse")),
        ),
        Plan(name="a", story="The worker dies in a job.", departures=(PlannedDeparture(at=1, back_at=3),)),
        pytest.param(
            Plan(
                name="a",
                story="The worker dies in a late call.",
                rules=(ruled("a100", "generate", "1", kind="delay", seconds=30),),
                departures=(PlannedDeparture(at=9, back_at=11),),
            ),
            marks=pytest.mark.long("every kind of fault is tried first"),
        ),
        Plan(
            name="a",
            story="A worker drains and is long away.",
            departures=(PlannedDeparture(at=1, back_at=41, drain_s=0),),
        ),
        pytest.param(
            Plan(
                name="a",
                story="A worker drains after a failure.",
                rules=(
                    ruled("sam3", "submit", "1", kind="status", status=503),
                    ruled("sam3", "poll", "1", kind="delay", seconds=9),
                ),
                departures=(PlannedDeparture(at=6, back_at=6, drain_s=0),),
            ),
            marks=pytest.mark.long("every kind of fault is tried first"),
        ),
        Plan(name="a", story="Late, then gone.", rules=(
            ruled("blob", "get", "1", kind="delay", seconds=8),
            ruled("blob", "put", "1", kind="status", status=404),
        )),
        *(
            Plan(name="a", story=f"{service} {seconds:g} s late, then {kind}.", photo="far", rules=(
                ruled(service, operation, "1", kind="delay", seconds=seconds),
                ruled(service, operation, "1", kind=kind),
            ))
            for service, operation, kind, seconds in (
                ("image_manipulator", "zoom_check", "garbage", 2.2),
                ("birefnet", "submit", "job_failed", 2.2),
                ("blob", "put", "garbage", 1.8),
                ("a100", "generate", "truncate", 2.6),
            )
        ),
        Plan(name="a", story="A slow picture, then a service that hangs.", photo="far", rules=(
            ruled("blob", "get", "3", kind="delay", seconds=12),
            ruled("birefnet", "submit", "1", kind="hang"),
        )),
        pytest.param(Plan(name="a", story="A service that is slow and says nonsense, for ever.", rules=(
            ruled("a100", "generate", "1-", kind="delay", seconds=6),
            ruled("a100", "generate", "1-", kind="garbage"),
        )), marks=pytest.mark.long("every kind of fault is tried first")),
        pytest.param(Plan(name="a", story="Jobs that fail after half a minute, for ever.", rules=(
            ruled("sam3", "submit", "1-", kind="job_slow", seconds=30),
            ruled("sam3", "submit", "1-", kind="job_failed"),
        )), marks=pytest.mark.long("every kind of fault is tried first")),
        pytest.param(
            Plan(
                name="a",
                story="The worker dies in a late call, and then the service refuses.",
                rules=(
                    ruled("a100", "generate", "1", kind="delay", seconds=30),
                    ruled("a100", "generate", "2", kind="status", status=400),
                ),
                departures=(PlannedDeparture(at=9, back_at=11),),
            ),
            marks=pytest.mark.long("every kind of fault is tried first"),
        ),
        Plan(name="a", story="Two in a row at one step, then done.", rules=(
            ruled("sam3", "submit", "1", kind="status", status=503),
            ruled("sam3", "submit", "2", kind="picture_unchanged"),
        )),
    ],
    ids=lambda plan: plan.story,
)  # fmt: skip
def test_what_happened_is_found_again(plan: Plan) -> None:
    story = stories(plan)[0]
    facts = known(plan, story)
    inferred = infer(facts, "again")
    assert inferred.missing == []
    assert differs(facts, of_story(stories(inferred.plan)[0])) == []


def recording(where: Path, *entries: dict[str, Any]) -> Path:
    where.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    return where


def test_a_recording_beside_a_history_gives_the_latencies_of_that_day(tmp_path: Path) -> None:
    took = (21.0, 22.0, 23.5, 25.0, 40.0)
    calls = [{"operation": "generate", "status": 200, "seconds": each, "fields": {}} for each in took]
    a100 = recording(tmp_path / "a100.jsonl", *calls)
    jobs = [{"operation": "poll", "status": 200, "seconds": 0.1, "job": "completed", "job_seconds": 12.0}] * 5
    sam3 = recording(tmp_path / "sam3.jsonl", *jobs)
    rules = latencies([f"a100={a100}", f"sam3={sam3}"])
    told = {(rule.service, rule.operation): (rule.fault["kind"], rule.fault["seconds"]) for rule in rules}
    assert told == {
        ("a100", "generate"): ("delay", 23.5),
        ("a100_spare", "generate"): ("delay", 23.5),
        ("sam3", "submit"): ("job_slow", 12.0),
    }
    # SAM3 was busy once, and all else as slow as it was that day.
    busy = ruled("sam3", "submit", "1", kind="status", status=503)
    plan = Plan(name="a", story="Busy on a slow day.", rules=(busy, *rules))
    facts = known(plan, stories(plan)[0])
    inferred = infer(facts, "again", rules)
    assert inferred.missing == []
    assert inferred.guesses["generate_mask"][0].words == "sam3.submit call 1: status 503"
    assert inferred.plan.rules[-len(rules) :] == rules
    assert len(inferred.plan.rules) == len(rules) + 1, "no slow call is guessed where the recording says why"
    story = stories(inferred.plan)[0]
    assert differs(facts, of_story(story)) == []
    assert story.length == pytest.approx(stories(plan)[0].length, abs=0.5)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("a100.jsonl", "say it as service=file, with one of image_manipulator, birefnet, sam3, a100"),
        ("flux=a100.jsonl", "say it as service=file"),
        ("a100=none.jsonl", "cannot be used: [Errno 2]"),
        ("a100=few.jsonl", "holds too few calls"),
    ],
)
def test_a_recording_that_cannot_be_used_is_refused_with_words(
    word: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    recording(tmp_path / "few.jsonl", {"operation": "generate", "status": 200, "seconds": 1, "fields": {}})
    with pytest.raises(NoTryOnError, match=r"^RECORDING=") as caught:
        latencies([word])
    assert said in str(caught.value)


def test_more_than_one_kind_that_fits_is_told_with_the_log_that_decides() -> None:
    plan = Plan(name="a", story="Busy.", rules=(ruled("sam3", "submit", "1", kind="status", status=503),))
    inferred = infer(known(plan, stories(plan)[0]), "again")
    assert inferred.ambiguous
    lines = told(inferred)
    assert lines[0].startswith("generate_mask: ambiguous, ")
    assert lines[1] == "  ► sam3.submit call 1: status 503"
    assert "  the log of sam3 decides" in lines[-1]


def test_what_nothing_explains_is_said() -> None:
    facts = Facts(
        "FAILED", "NO_SUCH_CODE", "UPLOADING_IMAGE", (Tried("upload_to_azure", 1, "NO_SUCH_CODE", None, 0, 0),)
    )
    inferred = infer(facts, "again")
    assert inferred.missing
    assert told(inferred)[-1].startswith("nothing explains upload_to_azure")


def test_a_cancel_before_any_activity_is_like_no_plan() -> None:
    inferred = infer(Facts("CANCELLED", None, None, (), cancel_at=3.0), "again")
    assert inferred.missing == ["the end: CANCELLED before any activity, as without a worker: no plan is like it"]


def test_what_a_recording_lets_fail_and_production_did_not_is_said() -> None:
    calm = Plan(name="a", story="Calm.")
    stuck = ruled("sam3", "submit", "1-", kind="job_slow", seconds=200)
    [missing] = infer(known(calm, stories(calm)[0]), "again", (stuck,)).missing
    assert missing.startswith("generate_mask: generate_mask: 1 attempt, completed")


@pytest.mark.long("fifty-two random try-ons")
@pytest.mark.parametrize("seed", [1, 2])
def test_nine_of_ten_random_try_ons_are_found_again(seed: int) -> None:
    chance, wanted = Random(seed), 12 if seed == 1 else 40
    found, total = 0, 0
    while total < wanted:
        plan = drawn(chance)
        story = stories(plan)[0]
        calm = story.status == "COMPLETED" and all(each.number == 1 for each in story.attempts)
        if calm or story.status == "REFUSED":
            continue
        total += 1
        facts = known(plan, story)
        found += differs(facts, of_story(stories(infer(facts, "again").plan)[0])) == []
    assert found >= 0.9 * total, f"{found} of {total}"


@pytest.mark.long("a stack in real time, and a world in virtual time")
async def test_nine_of_ten_exported_try_ons_go_the_same_way_again(tmp_path: Path) -> None:
    histories = tmp_path / "histories"
    async with commanding(tmp_path, "scenarios") as soak:
        await soak.start(
            "soak", "--workflows", "40", "--minutes", "0.6", "--out", str(tmp_path), "--export", str(histories)
        )
        await soak.end(600)  # how memory and event loops did is not looked at here
    assert len(list(histories.glob("*.json"))) == 40, soak.output
    async with commanding(tmp_path, "scenarios") as command:
        words = ["scenario-from", "--history", str(histories), "--plans", "20", "--out", str(tmp_path / "from")]
        await command.start(*words)
        await command.end(900)
    same, total = map(int, re.search(r"(\d+) of (\d+) try-ons go the same way", command.output).groups())  # type: ignore[union-attr]
    assert total >= 22, (
        command.output
    )  # the twenty plans', and of the soak's forty those that met a fault and had to try again
    assert same >= 0.9 * total, command.output
    assert len(list((tmp_path / "from").glob("*/test_*.py"))) == total


@pytest.mark.long("it starts a world of its own, and pytest in another")
async def test_the_command_writes_a_test_that_is_red_as_production_was(command: Command, tmp_path: Path) -> None:
    await command.start("scenario-from", "--history", str(RECORDED / "failed.json"), "--out", str(tmp_path / "from"))
    assert await command.end() == 0, command.output
    assert "run in virtual time: the same way" in command.output
    [test] = (tmp_path / "from").glob("test_*.py")
    words = ["-p", "scenarios.plugin", "-p", "no:cacheprovider", "--show-capture=no"]
    await command.start(str(test), *words, module="pytest")
    assert await command.end() == 1
    assert "1 failed" in command.output
    assert "INVALID_IMAGE" in command.output


async def test_a_folder_without_histories_is_refused(command: Command, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    await command.start("scenario-from", "--history", str(tmp_path / "empty"))
    assert await command.end() == 2
    assert "empty: holds no *.json" in command.output


async def test_a_file_that_is_none_is_refused(command: Command, tmp_path: Path) -> None:
    await command.start("scenario-from", "--history", str(tmp_path / "none.json"))
    assert await command.end() == 2
    assert "none.json: cannot be read: No such file or directory" in command.output
