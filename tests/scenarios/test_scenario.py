"""What is no scenario is said where it is written: which word is wrong, and which words there are."""

from collections.abc import Callable

import pytest

from fakes.kit.rules import read_rules
from scenarios.plugin import Rules
from scenarios.scenario import Expect, Rule, rule


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
