"""Plans: read, refused with words that help, written for people, and to a scenario and back."""

import json
from pathlib import Path
from typing import Any

import pytest

from scenarios.catalogue import CATALOGUE
from scenarios.plans import PlanInvalid, plan_of, read_plan, scenario_of, written
from scenarios.plans.text import parsed
from scenarios.scenario import BY_KEY, UNREAD, Lost, Scenario

BUSY = {"service": "sam3", "operation": "submit", "calls": "1", "fault": {"kind": "status", "status": 503}}
PLAN: dict[str, Any] = {"version": 1, "name": "busy", "story": "SAM3 is busy once.", "rules": [BUSY]}


@pytest.mark.parametrize("scenario", CATALOGUE, ids=lambda scenario: scenario.name)
def test_every_scenario_is_a_plan_and_comes_back(scenario: Scenario) -> None:
    plan = plan_of(scenario)
    back = scenario_of(parsed(written(plan), "plan.json"))
    for field in ("name", "story", "photo", "points", "rules", "cancel_at", "cancel_heard", "body", "headers"):
        assert getattr(back, field) == getattr(scenario, field), field
    assert [dict(stroke) for stroke in back.strokes] == [dict(stroke) for stroke in scenario.strokes]
    assert [other.name for other in back.beside] == [other.name for other in scenario.beside]
    assert plan_of(back) == plan


def test_what_is_as_usual_is_not_written() -> None:
    assert json.loads(written(parsed(json.dumps(PLAN), "here"))) == PLAN


def test_what_the_user_does_comes_back_too() -> None:
    acts = [{"do": "cancel", "at": 3}, {"do": "repeat", "at": "accepted"}, {"do": "status", "at": 1.5}]
    plan = parsed(json.dumps(PLAN | {"acts": acts}), "here")
    scenario = scenario_of(plan)
    assert (scenario.cancel_at, scenario.acts) == (3, (("repeat", "accepted"), ("status", 1.5)))
    assert plan_of(scenario) == plan


def test_when_a_cancel_is_heard_comes_back_and_is_said_of_one_at_a_second_alone() -> None:
    plan = parsed(json.dumps(PLAN | {"acts": [{"do": "cancel", "at": 3, "heard": "next_heartbeat"}]}), "here")
    assert scenario_of(plan).cancel_heard == "next_heartbeat"
    assert plan_of(scenario_of(plan)) == plan
    for act in ({"do": "cancel", "at": "end"}, {"do": "status", "at": 3}):
        with pytest.raises(PlanInvalid, match="heard is said of a cancel at a virtual second"):
            parsed(json.dumps(PLAN | {"acts": [act | {"heard": "next_heartbeat"}]}), "here")


def test_a_worker_that_leaves_comes_back_too() -> None:
    departures = [{"at": 3, "back_at": 5}, {"at": 9.5, "back_at": 9.5, "drain_s": 2}]
    plan = parsed(json.dumps(PLAN | {"departures": departures}), "here")
    scenario = scenario_of(plan)
    assert scenario.departures == ((3, 5, None), (9.5, 9.5, 2))
    assert not scenario.fault_free
    assert plan_of(scenario) == plan


def test_answers_of_temporal_that_are_lost_come_back_too() -> None:
    plan = parsed(json.dumps(PLAN | {"lost": {"start": 2, "cancel": 1, "refused": 3, "keyless": True}}), "here")
    scenario = scenario_of(plan)
    assert scenario.lost == Lost(2, 1, 3, keyless=True)
    assert not scenario.fault_free
    assert plan_of(scenario) == plan


@pytest.mark.parametrize("do", BY_KEY)
def test_api_keys_come_back_too_and_without_them_there_is_no_stranger(do: str) -> None:
    strange = PLAN | {"acts": [{"do": do, "at": 1}]}
    plan = parsed(json.dumps(strange | {"guarded": True}), "here")
    assert scenario_of(plan).guarded
    assert not scenario_of(plan).fault_free
    assert plan_of(scenario_of(plan)) == plan
    with pytest.raises(PlanInvalid, match="are about a gateway with API keys"):
        parsed(json.dumps(strange), "here")


@pytest.mark.parametrize("do", UNREAD)
def test_results_that_cannot_be_read_are_asked_for_at_the_end_alone(do: str) -> None:
    plan = parsed(json.dumps(PLAN | {"acts": [{"do": do, "at": "end"}]}), "here")
    assert plan_of(scenario_of(plan)) == plan
    assert scenario_of(plan).virtual_alone
    with pytest.raises(PlanInvalid, match="asked for at the end alone"):
        parsed(json.dumps(PLAN | {"acts": [{"do": do, "at": 3}]}), "here")


def test_a_service_that_is_away_is_a_rule_for_all_its_operations() -> None:
    plan = parsed(json.dumps(PLAN | {"around": [{"service": "a100", "from_s": 3, "until_s": 9}]}), "here")
    rule = scenario_of(plan).rules[-1]
    assert (rule.service, rule.operation, rule.fault["kind"]) == ("a100", "*", "refuse")
    assert rule.when == {"after_s": 3, "for_s": 6}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"version": 2}, ["version 2", "reads version 1"]),
        ({"version": None}, ["version None"]),
        ({"photo": "moon"}, ["photo: ", "no such photo: 'moon'", "near"]),
        ({"poinst": []}, ["poinst: "]),
        ({"points": [{"x": 2, "y": 0, "label": 1}]}, ["points[0].x: "]),
        ({"rules": [BUSY | {"service": "sam4"}]}, ["rules[0]: ", "no such service: 'sam4'"]),
        ({"rules": [BUSY | {"operation": "sumbit"}]}, ["rules[0]: ", "submit, poll"]),
        ({"rules": [BUSY | {"fault": {"kind": "stauts"}}]}, ["rules[0]: ", "fault.kind"]),
        ({"rules": [BUSY | {"calls": "2-1"}]}, ["ends before it begins"]),
        ({"acts": [{"do": "cancel", "at": 1}, {"do": "cancel", "at": 2}]}, ["one cancel"]),
        ({"acts": [{"do": "repeat", "at": "soon"}]}, ["acts[0].at", "'start', 'accepted' or 'end'"]),
        ({"acts": [{"do": "status", "at": "start"}]}, ["acts[0]", "only a repeat"]),
        ({"acts": [{"do": "progress", "at": "accepted"}]}, ["acts[0]", "may not have begun"]),
        ({"acts": [{"do": "repeat", "at": "start"}], "lost": {"start": 1}}, ["lost: ", "nobody knows whose"]),
        ({"acts": [{"do": "dance", "at": 1}]}, ["acts[0].do: "]),
        ({"around": [{"service": "blob", "from_s": 3, "until_s": 3}]}, ["around[0]: ", "after from_s"]),
        ({"departures": [{"at": 3, "back_at": 2}]}, ["departures[0]: ", "must not be before at, 3"]),
        ({"departures": [{"at": 1, "back_at": 4}, {"at": 4, "back_at": 9}]}, ["departures: one at 4 s, before"]),
        ({"beside": [PLAN | {"name": "A b"}]}, ["beside[0].name: "]),
        ({"name": "Ä"}, ["name: "]),
    ],
    ids=str,
)
def test_a_plan_that_is_wrong_says_where_and_what(change: dict[str, Any], says: list[str], tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(PLAN | change))
    with pytest.raises(PlanInvalid) as refused:
        read_plan(path)
    for words in [str(path), *says]:
        assert words in str(refused.value)


@pytest.mark.parametrize(
    ("text", "says"), [("{", "is no JSON"), ("[]", "a JSON object"), ("{}", "has no version"), (b"\xff", "UTF-8")]
)
def test_a_file_that_is_no_plan_says_so(text: str | bytes, says: str, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(PlanInvalid, match=says):
        read_plan(path)


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(PlanInvalid, match="cannot be read: No such file"):
        read_plan(tmp_path / "none.json")
