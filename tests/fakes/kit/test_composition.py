"""Several rules on one call: those that do not contradict each other act together, each in its turn."""

from typing import Any

import pytest

import fakes.faults  # noqa: F401 - two of its kinds are asked about
from fakes.kit.client import ControlError
from fakes.kit.rules import RulesInvalid, read_rules
from tests.fakes.kit.conftest import Toy, serve_toy

LATE = {"id": "late", "fault": {"kind": "delay", "seconds": 20}}
BROKEN = {"id": "broken", "fault": {"kind": "truncate"}}
BUSY = {"id": "busy", "fault": {"kind": "status", "status": 503, "retry_after": 3}}


@pytest.mark.parametrize("rules", [[LATE, BROKEN], [BROKEN, LATE]], ids=["late first", "broken first"])
async def test_late_and_then_broken(toy: Toy, rules: list[dict[str, Any]]) -> None:
    await toy.control.add(*rules)
    answer = await toy.ask(virtual=True)
    assert (answer.status, answer.elapsed, answer.body) == (200, 20, b'{"hello"')
    (call,) = await toy.control.ledger()
    assert (call["rule"], call["fault"], call["also"]) == ("late", "delay", ["broken"])
    assert call["also_faults"] == ["truncate"]
    assert [rule["hits"] for rule in await toy.control.rules()] == [1, 1]


async def test_late_in_real_time(toy: Toy) -> None:
    await toy.control.add({"fault": {"kind": "delay", "seconds": 0.2}}, {"fault": {"kind": "garbage"}})
    answer = await toy.ask()
    assert answer.seconds >= 0.2
    assert b"<html>" in answer.body


async def test_what_waits_goes_before_what_answers_whichever_was_loaded_first(toy: Toy) -> None:
    await toy.control.add(BUSY, LATE)
    answer = await toy.ask("/echo", body={"text": "x"}, virtual=True)
    assert (answer.status, answer.elapsed, answer.headers["retry-after"]) == (503, 20, "3")
    assert toy.done == []


async def test_an_answer_by_rule_can_be_broken_too(toy: Toy) -> None:
    await toy.control.add(BUSY, {"fault": {"kind": "content_type"}}, {"fault": {"kind": "dribble", "pause": 1}})
    answer = await toy.ask(virtual=True)
    assert (answer.status, answer.headers["content-type"]) == (503, "text/html; charset=utf-8")
    assert answer.elapsed == len(answer.body)


async def test_two_fields_of_one_answer(toy: Toy) -> None:
    await toy.control.add(
        {"operation": "item", "fault": {"kind": "missing_field", "field": "text"}},
        {"operation": "item", "fault": {"kind": "wrong_type", "field": "length"}},
        {"operation": "item", "fault": {"kind": "extra_field", "field": "eta", "value": 1}},
    )
    assert (await toy.ask("/items/abc")).json() == {"length": "forty-two", "eta": 1}


async def test_of_two_that_contradict_each_other_the_first_acts_and_the_other_says_why(toy: Toy) -> None:
    await toy.control.add(BUSY, {"id": "gone", "key": "w", "expect": True, "fault": {"kind": "reset"}})
    assert (await toy.ask()).status == 503
    (unmet,) = (await toy.control.verdict())["unmet"]
    assert unmet["near_misses"][0]["why"] == [
        "rule busy acted first: reset and status both decide whether the service does its work"
    ]


async def test_one_that_is_passed_over_leaves_max_hits_to_the_next_call(toy: Toy) -> None:
    await toy.control.add(BUSY | {"calls": 1}, {"id": "once", "max_hits": 1, "fault": {"kind": "empty"}})
    assert (await toy.ask()).status == 503
    with pytest.raises(EOFError):
        await toy.ask()
    assert (await toy.ask()).status == 200


@pytest.mark.parametrize(
    ("one", "two", "words"),
    [
        (BUSY, {"fault": {"kind": "hang"}}, "status and hang both decide whether the service does its work"),
        (BROKEN, {"fault": {"kind": "answer_lost"}}, "truncate and answer_lost both decide how the answer ends"),
        (BROKEN, {"fault": {"kind": "dribble"}}, "truncate decides how the answer ends, which dribble needs"),
        (
            {"fault": {"kind": "garbage"}},
            {"fault": {"kind": "null_field", "field": "text"}},
            "garbage decides what the body is, which null_field needs as it would be",
        ),
        ({"fault": {"kind": "job_stuck"}}, BUSY, "status decides whether the service does its work, which job_stuck"),
        (
            {"fault": {"kind": "picture_truncated"}},
            {"fault": {"kind": "picture_size"}},
            "picture_truncated decides whether the picture is whole, which picture_size needs",
        ),
    ],
)
def test_a_rule_that_could_never_act_is_refused(one: dict[str, Any], two: dict[str, Any], words: str) -> None:
    first, second = one | {"id": "one"}, two | {"id": "two"}
    with pytest.raises(RulesInvalid, match=rf"rule two: fault: it would never act: .* rule one: .*{words}"):
        read_rules([first, second])
    for apart in ({"key": "w"}, {"calls": 2}, {"p": 0.5}, {"max_hits": 1}):
        assert len(read_rules([first | apart, second])) == 2
    assert len(read_rules([first | {"p": 0.5}, second | {"p": 0.5}])) == 2, "each draws for itself"
    assert len(read_rules([first | {"max_hits": 1}, second | {"max_hits": 1}])) == 2, "one after the other"


async def test_a_refusal_in_real_time_is_one_hit_and_more_cannot_be_expected(toy: Toy) -> None:
    with pytest.raises(ControlError, match="expect: in real time a refusal is one hit"):
        await toy.control.add({"expect": 2, "fault": {"kind": "refuse"}})
    async with serve_toy(sim_clock="caller") as virtual:
        await virtual.control.add({"expect": 2, "fault": {"kind": "refuse"}})
        for _ in range(2):
            assert (await virtual.ask(virtual=True)).headers["x-sim-fault"] == "refuse"
        assert (await virtual.control.verdict())["verdict"] == "passed"
