"""Which rule a call meets: conditions, chance, near misses, verdict, and what is no rule."""

import asyncio
import json
import time
from typing import Any

import pytest

from fakes.kit.calls import Operation, draw
from fakes.kit.client import ControlError
from fakes.kit.ledger import Entry
from fakes.kit.rulebook import RuleBook
from fakes.kit.rules import RulesInvalid, parse_calls, read_rules, read_yaml
from tests.fakes.kit.conftest import Toy, serve_toy

FAULT = {"kind": "status", "status": 500}


async def statuses(toy: Toy, *keys: str, path: str = "/plain") -> list[int]:
    return [(await toy.ask(path, key=key)).status for key in keys]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({}, [500, 500, 500, 500]),
        ({"calls": "2"}, [200, 500, 200, 200]),
        ({"calls": 2}, [200, 500, 200, 200]),
        ({"calls": "1-2"}, [500, 500, 200, 200]),
        ({"calls": "3-"}, [200, 200, 500, 500]),
        ({"calls": "1,3-4"}, [500, 200, 500, 500]),
        ({"every": 2}, [200, 500, 200, 500]),
        ({"every": 2, "calls": "1-3"}, [200, 500, 200, 200]),
        ({"max_hits": 3}, [500, 500, 500, 200]),
        ({"p": 0}, [200, 200, 200, 200]),
        ({"p": 1}, [500, 500, 500, 500]),
        ({"operation": "plain"}, [500, 500, 500, 500]),
        ({"operation": "item"}, [200, 200, 200, 200]),
        ({"service": "toy"}, [500, 500, 500, 500]),
        ({"service": "to?"}, [500, 500, 500, 500]),
        ({"service": "sam3"}, [200, 200, 200, 200]),
        ({"after_s": 3600}, [200, 200, 200, 200]),
        ({"for_s": 3600}, [500, 500, 500, 500]),
    ],
)
async def test_conditions(toy: Toy, rule: dict[str, Any], expected: list[int]) -> None:
    await toy.control.add(rule | {"fault": FAULT})
    assert await statuses(toy, "w", "w", "w", "w") == expected


@pytest.mark.parametrize(
    ("key", "expected"), [("a-1", [500, 200, 200]), ("a-*", [500, 500, 200]), ("[ab]-1", [500, 200, 500])]
)
async def test_keys_are_exact_or_globs(toy: Toy, key: str, expected: list[int]) -> None:
    await toy.control.add({"key": key, "fault": FAULT})
    assert await statuses(toy, "a-1", "a-2", "b-1") == expected


@pytest.mark.parametrize("key", ["shop[7]", "[", "what?", "a*b", "x[!y]"])
async def test_a_key_with_a_mark_of_patterns_matches_itself(toy: Toy, key: str) -> None:
    await toy.control.add({"key": key, "fault": FAULT})
    assert await statuses(toy, key, "other") == [500, 200]


async def test_the_same_id_twice_in_one_list_is_an_error(toy: Toy) -> None:
    rules: list[dict[str, Any]] = [
        {"id": "busy", "fault": FAULT},
        {"fault": FAULT},
        {"id": "busy", "calls": 2, "fault": FAULT},
    ]
    with pytest.raises(ControlError, match="422: rule busy: id: the same as that of rule 0 in this list"):
        await toy.control.add(*rules)
    assert await toy.control.rules() == []
    with pytest.raises(RulesInvalid, match=r"rule status-.*: id: the same as that of rule 0"):
        read_rules([{"fault": FAULT}, {"fault": FAULT}])


def test_chance_differs_from_service_to_service_and_from_seed_to_seed() -> None:
    def hit(service: str, seed: int) -> list[bool]:
        book = RuleBook(service, lambda: [Operation("submit", "POST", "/")], seed, keyed_refusal=False)
        book.load(read_rules({"id": "half", "p": 0.5, "fault": FAULT}), 0)
        entries = [Entry(service, "submit", f"w{number}", 1, 1, 0, 0, 0) for number in range(200)]
        return [bool(book.match(entry)) for entry in entries]

    assert hit("birefnet", 1) == hit("birefnet", 1)
    assert len({tuple(hit(service, seed)) for service in ("birefnet", "sam3") for seed in (1, 2)}) == 4


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"text": "ring"}, [500, 200, 200, 422, 200]),
        ({"text": "r*g"}, [500, 500, 200, 422, 200]),
        ({"text": "r?ng"}, [500, 200, 200, 422, 200]),
        ({"text": "*"}, [500, 500, 200, 422, 500]),
        ({"size": 1}, [500, 200, 200, 422, 200]),
        ({"size": 1.0}, [500, 200, 200, 422, 200]),
        ({"size": True}, [200, 500, 200, 422, 200]),
        ({"size": None}, [200, 200, 500, 422, 200]),
        ({"text": "r*", "size": True}, [200, 500, 200, 422, 200]),
        ({"text": "x" * 1001}, [200, 200, 200, 422, 200]),
    ],
)
async def test_a_body_matches_by_the_fields_of_the_request(
    toy: Toy, virtual: bool, body: dict[str, Any], expected: list[int]
) -> None:
    await toy.control.add({"operation": "tell", "body": body, "fault": FAULT})
    sent: list[Any] = [
        {"text": "ring", "size": 1},
        {"text": "rubbing", "size": True, "more": [1]},
        {"text": "x" * 1001, "size": None},
        ["text"],
        {"text": "watch", "size": [1]},
    ]
    told = [await toy.ask("/tell", body=value, virtual=virtual, key=f"w{place}") for place, value in enumerate(sent)]
    assert [answer.status for answer in told] == expected
    read = [json.loads(answer.json()["text"]) for answer in told if answer.status == 200]
    assert read == [value for value, status in zip(sent, expected, strict=True) if status == 200], (
        "the service reads too"
    )


async def test_near_misses_of_a_body_say_what_was_sent(toy: Toy) -> None:
    await toy.ask("/tell", body={"text": "before"})
    rule = {
        "id": "nobg",
        "operation": "tell",
        "body": {"text": "*-nobg.png", "size": 3},
        "expect": True,
        "fault": FAULT,
    }
    await toy.control.add(rule)
    for sent in ({"text": "x-resized.jpg", "size": 3}, {"text": "x-nobg.png", "size": {}}, {"text": "x" * 5000}):
        await toy.ask("/tell", body=sent)
    misses = await toy.control.near_misses("nobg")
    assert [miss["why"] for miss in misses] == [
        ["body: wants text *-nobg.png, was x-resized.jpg"],
        ["body: wants size 3, was an object"],
        [
            "body: wants text *-nobg.png, was not read: the rule was loaded after the call",
            "body: wants size 3, was not read: the rule was loaded after the call",
        ],
    ]
    assert (await toy.control.verdict())["verdict"] == "inconclusive"
    await toy.ask("/tell", body={"text": "x-nobg.png", "size": 3})
    assert (await toy.control.verdict())["verdict"] == "passed"


async def test_a_body_and_chance_ignore_the_order_of_arrival(toy: Toy) -> None:
    await toy.control.add(
        {"id": "odd", "operation": "tell", "body": {"text": "*1"}, "p": 0.5, "fault": FAULT},
        {"id": "any", "p": 0.2, "fault": FAULT | {"status": 503}},
    )
    ledgers = []
    for at_once in (1, 32):
        gate = asyncio.Semaphore(at_once)

        async def tell(number: int, gate: asyncio.Semaphore = gate) -> None:
            async with gate:
                await toy.ask("/tell", body={"text": f"{number // 2}"}, key=f"w{number}", virtual=True)

        await asyncio.gather(*map(tell, range(64)))
        told = await toy.control.ledger()
        ledgers.append(sorted((call["key"], call["call"], call["rule"] or "", call["status"] or 0) for call in told))
        toy.fake.ledger.clear()
        toy.fake.rules.forget()
    assert ledgers[0] == ledgers[1]
    assert {rule for _, _, rule, _ in ledgers[0]} == {"", "odd", "any"}


async def test_calls_count_for_each_key_and_operation(toy: Toy) -> None:
    await toy.control.add({"calls": "2", "fault": FAULT})
    assert await statuses(toy, "a", "b", "a", "b") == [200, 200, 500, 500]
    assert await statuses(toy, "a", "a", path="/items/x") == [200, 500]


async def test_after_and_for_count_from_the_keys_first_call_in_the_callers_time(toy: Toy) -> None:
    await toy.control.add({"after_s": 10, "for_s": 5, "fault": FAULT})
    times = [100, 109, 110, 114, 115]
    assert [(await toy.ask(virtual=True, at=at)).status for at in times] == [200, 200, 500, 500, 200]
    assert (await toy.ask(virtual=True, at=112, key="late")).status == 200


@pytest.mark.parametrize(("after", "seconds"), [(12.9, 2.9), (0.1, 0.2), (9.9, 5.9), (0.7, 0.1), (366.4, 21.5)])
async def test_an_instant_is_one_to_a_microsecond(toy: Toy, after: float, seconds: float) -> None:
    first, then = (f"{1_800_000_000 + at!r}" for at in (after, after + seconds))
    await toy.control.add({"key": "begins", "after_s": seconds, "fault": FAULT})
    await toy.control.add({"key": "ends", "for_s": seconds, "fault": FAULT})
    told = [
        (await toy.ask(virtual=True, at=float(at), key=key)).status
        for key in ("begins", "ends")
        for at in (first, then)
    ]
    assert told == [200, 500, 500, 200]


async def test_the_first_rule_that_matches_acts(toy: Toy) -> None:
    await toy.control.add({"id": "all", "fault": FAULT}, {"id": "mine", "key": "w", "fault": {"kind": "hang"}})
    assert await statuses(toy, "w") == [500]
    await toy.control.remove("all")
    assert (await toy.ask(virtual=True)).elapsed == float("inf")


async def test_a_rule_of_the_same_id_replaces_in_its_place(toy: Toy) -> None:
    await toy.control.add({"id": "one", "fault": FAULT})
    await toy.control.add({"id": "two", "fault": FAULT | {"status": 501}})
    await toy.control.add({"id": "one", "fault": FAULT | {"status": 502}})
    assert await statuses(toy, "w") == [502]
    assert [rule["id"] for rule in await toy.control.rules()] == ["one", "two"]


async def test_chance_ignores_the_order_of_arrival(toy: Toy) -> None:
    """The same seed gives the same ledger one after the other and 64 at once."""
    await toy.control.add({"id": "third", "p": 0.3, "fault": FAULT})
    keys = [f"w{number}" for number in range(128)]
    ledgers = []
    for at_once in (1, 64, 64):
        gate = asyncio.Semaphore(at_once)

        async def call(key: str, gate: asyncio.Semaphore = gate) -> None:
            async with gate:
                await toy.ask(key=key)
                await toy.ask(key=key)

        await asyncio.gather(*map(call, keys))
        told = await toy.control.ledger()
        ledgers.append(sorted((entry["key"], entry["call"], entry["rule"], entry["status"]) for entry in told))
        toy.fake.ledger.clear()
        toy.fake.rules.forget()
    assert ledgers[0] == ledgers[1] == ledgers[2]
    assert {status for *_, status in ledgers[0]} == {200, 500}


def test_a_probability_of_30_percent_is_30_percent_of_10000_keys() -> None:
    book = _book()
    book.load(read_rules({"id": "third", "p": 0.3, "fault": FAULT}), 0)
    entries = [Entry("toy", "plain", f"w{number}", 1, 1, 0, 0, 0) for number in range(10_000)]
    hits = sum(not book.near_misses("third", [entry])[0]["why"][0].startswith("p:") for entry in entries)  # type: ignore[index]
    assert 2_850 <= hits <= 3_150  # 3.3 standard deviations


def test_seeds_and_rules_draw_apart() -> None:
    draws = {draw(seed, rule, "w", "plain", 1) for seed in range(50) for rule in range(50)}
    assert len(draws) == 2_500
    assert 0.45 < sum(draws) / len(draws) < 0.55


async def test_what_was_expected_and_did_not_fire_is_inconclusive_with_the_reason(toy: Toy) -> None:
    await toy.control.add({"id": "third", "key": "w", "calls": "3", "expect": True, "fault": FAULT})
    await statuses(toy, "w", "w", "other")
    verdict = await toy.control.verdict()
    assert verdict["verdict"] == "inconclusive"
    (unmet,) = verdict["unmet"]
    assert (unmet["id"], unmet["hits"], unmet["expect"]) == ("third", 0, 1)
    assert unmet["near_misses"][0]["why"] == ["calls: wants 3, was 1"]
    assert unmet["near_misses"][2]["why"] == ["key: wants w, was other", "calls: wants 3, was 1"]
    await statuses(toy, "w")
    assert (await toy.control.verdict())["verdict"] == "passed"


async def test_a_rule_for_another_service_expects_nothing_here(toy: Toy) -> None:
    """One file serves all fakes: each judges its own rules, and names those that it leaves to others."""
    await toy.control.add(
        {"id": "busy", "service": "a100", "operation": "generate", "expect": True, "fault": FAULT},
        {"id": "idle", "service": "sam?", "fault": FAULT},
        {"id": "mine", "service": "to*", "operation": "plain", "expect": True, "fault": FAULT},
    )
    verdict = await toy.control.verdict()
    assert [unmet["id"] for unmet in verdict["unmet"]] == ["mine"]
    assert verdict["elsewhere"] == ["busy"]
    await statuses(toy, "w")
    assert (await toy.control.verdict())["verdict"] == "passed"


async def test_a_rule_for_any_service_that_fits_nothing_here_is_inconclusive(toy: Toy) -> None:
    await toy.control.add({"operation": "planetarium", "expect": True, "fault": FAULT})
    (unmet,) = (await toy.control.verdict())["unmet"]
    assert unmet["near_misses"][0]["why"] == [
        "it acts on nothing here: wants service *, operation planetarium, this fake is toy"
    ]


async def test_a_number_of_hits_can_be_expected(toy: Toy) -> None:
    await toy.control.add({"id": "twice", "expect": 2, "fault": FAULT})
    await statuses(toy, "w")
    assert (await toy.control.verdict())["unmet"][0]["hits"] == 1
    await statuses(toy, "w")
    assert (await toy.control.verdict())["verdict"] == "passed"


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ({"service": "sam3"}, "it acts on nothing here: wants service sam3, operation *, this fake is toy"),
        ({"operation": "item"}, "operation: wants item, was plain"),
        ({"every": 2}, "every: wants each 2th, was 1"),
        ({"after_s": 5}, "after_s: wants 5 s after the first call, was 0.000 s"),
        ({"p": 0}, "p: wants a draw below 0, was 0."),
    ],
)
async def test_near_misses_say_why(toy: Toy, rule: dict[str, Any], why: str) -> None:
    await toy.control.add(rule | {"id": "shy", "fault": FAULT})
    await statuses(toy, "w")
    (miss,) = await toy.control.near_misses("shy")
    assert miss["why"][0].startswith(why)


async def test_a_near_miss_because_of_another_rule(toy: Toy) -> None:
    await toy.control.add({"id": "first", "fault": FAULT}, {"id": "second", "key": "w", "fault": FAULT})
    await statuses(toy, "w")
    assert (await toy.control.near_misses("second"))[0]["why"] == [
        "rule first acted first: status and status both decide whether the service does its work"
    ]
    await toy.control.add({"id": "third", "operation": "item", "fault": FAULT, "max_hits": 1})
    await statuses(toy, "w", path="/items/x")


async def test_all_errors_at_once_each_naming_its_field(toy: Toy) -> None:
    bad = [
        {"id": "a", "p": 2, "calls": "x", "surprise": 1, "fault": {"kind": "status", "status": 42}},
        {"id": "b", "fault": {"kind": "nonsense"}},
        {"p": 1},
        {"id": "c", "fault": {"kind": "delay", "seconds": {"fixed": 1, "uniform": [1, 2]}}},
        "no rule",
    ]
    answer = await toy.ask("/__sim/rules", body=bad)
    assert answer.status == 422
    found = {(error["rule"], error["field"]) for error in answer.json()["detail"]}
    assert found >= {
        ("a", "p"),
        ("a", "surprise"),
        ("a", "fault.status"),
        ("b", "fault.kind"),
        ("2", "fault"),
        ("4", ""),
    }
    assert any(rule == "c" and field.startswith("fault.seconds") for rule, field in found)
    assert await toy.control.rules() == []


@pytest.mark.parametrize(
    ("rule", "field", "message"),
    [
        ({"calls": "3-1", "fault": FAULT}, "calls", "ends before it begins"),
        ({"calls": "one", "fault": FAULT}, "calls", "no range of calls"),
        ({"service": "toy", "operation": "dance", "fault": FAULT}, "operation", "toy has no 'dance', only plain, echo"),
        ({"key": "w", "fault": {"kind": "refuse"}}, "key", "in real time"),
        ({"operation": "plain", "fault": {"kind": "refuse"}}, "operation", "in real time"),
        ({"p": 0.5, "fault": {"kind": "refuse"}}, "p", "no call"),
        ({"operation": "plain", "fault": {"kind": "missing_field", "field": "x"}}, "fault.field", "no field 'x'"),
        (
            {"operation": "echo", "body": {"textt": "x"}, "fault": FAULT},
            "body",
            "echo: its request has no field 'textt' (it has text)",
        ),
        ({"operation": "plain", "body": {"text": "x"}, "fault": FAULT}, "body", "no field 'text' (it has none)"),
        ({"service": "toy", "body": {"a": 1}, "fault": FAULT}, "body", "toy has no operation that status fits with"),
        ({"body": {"text": ["x"]}, "fault": FAULT}, "body", "text: give a text, a number, true, false or null"),
        ({"body": {}, "fault": FAULT}, "body", "at least 1 item"),
        ({"body": "ring", "fault": FAULT}, "body", "valid dictionary"),
        ({"fault": {"kind": "job_slow"}}, "fault", "give seconds or factor"),
        ({"fault": {"kind": "job_slow", "factor": 2, "p": 1}}, "fault.p", "Extra inputs"),
    ],
)
async def test_what_is_no_rule(toy: Toy, rule: dict[str, Any], field: str, message: str) -> None:
    answer = await toy.ask("/__sim/rules", body=rule)
    assert answer.status == 422
    (error,) = answer.json()["detail"]
    assert error["field"] == field
    assert message in error["message"]


async def test_rules_may_come_from_a_file_or_inline(tmp_path: Any) -> None:
    text = "- {id: busy, operation: plain, calls: 1-2, fault: {kind: status, status: 503}}"
    path = tmp_path / "rules.yaml"
    path.write_text(text)
    for given in (text, str(path)):
        async with serve_toy(sim_rules=given) as toy:
            assert await statuses(toy, "w", "w", "w") == [503, 503, 200]
            await toy.control.remove()
            assert await toy.control.rules() == []
            await toy.control.reset()
            assert [rule["id"] for rule in await toy.control.rules()] == ["busy"]
            assert await statuses(toy, "w") == [503], "a reset begins to count again"


def test_a_file_that_is_not_there_or_no_yaml(tmp_path: Any) -> None:
    with pytest.raises(RulesInvalid, match=r"rules\.yaml.*No such file"):
        read_yaml(str(tmp_path / "rules.yaml"))
    with pytest.raises(RulesInvalid, match="no YAML in line 1"):
        read_yaml("[a: ")


@pytest.mark.parametrize(("text", "ranges"), [("3", [(3, 3)]), ("1-2", [(1, 2)]), ("2-", [(2, float("inf"))])])
def test_ranges(text: str, ranges: list[tuple[int, float]]) -> None:
    assert parse_calls(text) == ranges


async def test_the_ledger_tells_each_call(toy: Toy) -> None:
    await toy.control.add({"id": "second", "calls": "2", "fault": FAULT})
    before = time.time()
    await toy.ask(virtual=True, at=500, key="a")
    await toy.ask(key="a")
    await toy.ask("/items/x", key="b")
    first, second = await toy.control.ledger("a")
    assert first | {"at": 0} == {
        "service": "toy",
        "operation": "plain",
        "key": "a",
        "call": 1,
        "attempt": 1,
        "at": 0,
        "caller_time": 500,
        "rule": None,
        "fault": None,
        "status": 200,
        "duration_s": 0,
        "intended_s": 0,
        "sent": None,
        "answered": {"hello": "world"},
    }
    assert (second["call"], second["rule"], second["fault"], second["status"]) == (2, "second", "status", 500)
    assert before <= second["at"] == second["caller_time"] <= time.time()
    assert [call["key"] for call in await toy.control.ledger(operation="item")] == ["b"]
    lines = (await toy.ask("/__sim/ledger?format=jsonl")).body.decode().splitlines()
    assert len(lines) == 3


async def test_the_ledger_shows_a_call_under_way(toy: Toy) -> None:
    await toy.control.add({"fault": {"kind": "hang"}})
    asking = asyncio.create_task(toy.ask())
    calls = await toy.once(len)
    assert (calls[0]["status"], calls[0]["duration_s"]) == (None, None)
    asking.cancel()
    await toy.once(lambda calls: calls[0]["duration_s"] is not None)


async def test_memory_is_bounded() -> None:
    async with serve_toy(sim_ledger_size=10) as toy:
        for number in range(25):
            await toy.ask(key=f"w{number % 3}")
        assert [call["key"] for call in await toy.control.ledger()] == [f"w{number % 3}" for number in range(15, 25)]
        assert len(await toy.control.ledger("w0")) == 4


async def test_without_sim_enabled_it_is_a_plain_service() -> None:
    async with serve_toy(sim_enabled=False, sim_rules="[{fault: {kind: hang}}]") as toy:
        answer = await toy.ask(virtual=True)
        assert (answer.status, "x-sim-elapsed" in answer.headers) == (200, False)
        assert (await toy.ask("/__sim/rules")).status == 404
        with pytest.raises(ControlError, match="404"):
            await toy.control.rules()


async def test_unknown_rules_are_a_404(toy: Toy) -> None:
    for ask in (toy.control.remove("nope"), toy.control.near_misses("nope")):
        with pytest.raises(ControlError, match="there is no rule 'nope'"):
            await ask


def _book() -> RuleBook:
    return RuleBook("toy", lambda: [Operation("plain", "POST", "/")], 7, keyed_refusal=False)
