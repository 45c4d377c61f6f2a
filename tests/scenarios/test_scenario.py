"""What is no scenario is said where it is written: which word is wrong, and which words there are."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from fakes.kit.rules import read_rules
from scenarios.catalogue import CATALOGUE
from scenarios.plugin import Rules
from scenarios.scenario import ROOT, Act, Expect, Rule, Scenario, rule


def acting(*acts: Act, **more: Any) -> Scenario:
    return Scenario(name="acting", story="A.", theme="t", acts=acts, expect=Expect(), **more)


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (lambda: rule("sam", "submit", "hang"), r"no such service: 'sam'; there are image_manipulator, "),
        (lambda: rule("sam3", "submitt", "hang"), r"sam3 has no operation 'submitt'; it has submit, poll"),
        (lambda: Rule("sam3", "po*y", {"kind": "hang"}), r"sam3 has no operation 'po\*y'"),
        (lambda: Rule("sam3", "submit", {}), r"sam3.submit: fault.kind: "),
        (lambda: rule("sam3", "submit", "hangs"), r"sam3.submit: fault.kind: .*'hang'"),
        (lambda: rule("sam3", "submit", "status", state=503), r"sam3.submit: .*fault.state: Extra"),
        (lambda: Rules().add("sam3", "submit", "status", status=503, p=0.5), r"fault.p: .*; p goes into `when`"),
        (lambda: rule("sam3", "submit", "hang", calls="2-1"), r"sam3.submit: calls: '2-1' ends before it begins"),
        (lambda: rule("sam3", "submit", "hang", when={"pp": 1}), r"sam3.submit: pp: "),
        (lambda: Expect(calls={"sam.submit": 1}), r"no such service: 'sam'"),
        (lambda: Expect(calls={"a100.generat": 0}), r"a100 has no operation 'generat'; it has health, "),
        (lambda: Expect(call_times={"birefnet.generate": ()}), r"birefnet has no operation 'generate'"),
        (lambda: Expect(sent={"sam3.segment": {}}), r"sam3 has no operation 'segment'"),
        (
            lambda: Scenario(name="late", story="A.", theme="t", expect=Expect(), cancel_heard="next_heartbeat"),
            r"scenario late: cancel_heard is said of a cancel, and there is no cancel_at",
        ),
        (lambda: acting(Act("keyed", 1)), r"scenario acting: stranger and keyed are about a gateway with API keys"),
        (lambda: acting(Act("results_gone", 1)), r"scenario acting: results that cannot be read are asked for at the"),
        (
            lambda: acting(live=True, beside=(acting(Act("results_gone", "end")),)),
            r"scenario acting: what it says happens in virtual time alone",
        ),
    ],
)
def test_a_wrong_word_is_said(write: Callable[[], object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        write()


def test_a_rule_says_when_too() -> None:
    made = rule("a100_spare", "*", "status", status=503, when={"p": 0.5, "every": 2}, must_fire=False)
    assert made.must_fire is False
    (read,) = read_rules(made.as_rule("r", "k"))
    assert (read.service, read.operation, read.p, read.every, read.key) == ("a100", "*", 0.5, 2, "k")


def test_a_generated_scenario_is_found_where_it_is_written() -> None:
    made = next(each for each in CATALOGUE if each.name == "birefnet-reset-recovers")
    file, _, line = made.written.partition(":")
    assert file == "scenarios/catalogue/http_faults.py"
    near = (ROOT / file).read_text().splitlines()[int(line) - 1 : int(line) + 2]
    assert any("recovers" in each for each in near), near
    assert dataclasses.replace(made, live=True).written.startswith("tests/scenarios/test_scenario.py:")
    assert dataclasses.replace(made) == made
