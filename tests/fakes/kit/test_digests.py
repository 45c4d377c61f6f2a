"""What the ledger keeps of the JSON that goes in and out."""

from fakes.kit.digests import digest
from tests.fakes.kit.conftest import Toy

LONG = "x" * 201


def test_small_values_stay_and_large_ones_become_their_size_and_a_hash() -> None:
    small = {"size": 12, "share": 0.5, "on": True, "none": None, "uri": "azure://c/a.jpg", "inner": {"a": 1}}
    assert digest(small) == small
    seen = digest({"points": [[0.1, 0.2], [0.3, 0.4]], "picture": LONG})
    assert seen["points"]["items"] == 2
    assert seen["picture"]["chars"] == 201
    assert len(str(seen)) < 150


def test_the_hash_is_of_the_value_not_of_how_it_is_written() -> None:
    assert digest([{"size": 12, "mode": "add"}]) == digest([{"mode": "add", "size": 12.0}])
    assert digest([0.185]) == digest([0.18499999999999997])
    assert digest([1, 0]) != digest([0, 1])
    assert digest([1]) != digest([True])
    assert digest(LONG) != digest(LONG + "x") != digest("y" + LONG)


async def test_a_number_that_no_json_has_is_told_as_a_text(toy: Toy) -> None:
    not_a_number = {"kind": "wrong_type", "field": "length", "to": "nan"}
    await toy.control.add({"operation": "item", "fault": not_a_number})
    await toy.ask("/items/a")
    (item,) = await toy.control.ledger("w")
    assert (item["answered"] or {})["length"] == "nan"


async def test_the_ledger_has_what_was_sent_and_answered(toy: Toy, virtual: bool) -> None:
    await toy.ask("/echo", body={"text": LONG}, virtual=virtual)
    await toy.ask("/items/a", virtual=virtual)
    await toy.ask("/plain", virtual=virtual)
    echo, item, plain = await toy.control.ledger("w")
    assert echo["sent"] == digest({"text": LONG})
    assert echo["answered"] == digest({"text": LONG, "length": 201})
    assert (item["sent"], item["answered"]) == (None, {"text": "a", "length": 1})
    assert (plain["sent"], plain["answered"]) == (None, {"hello": "world"})


async def test_what_a_fault_changed_is_what_was_answered(toy: Toy, virtual: bool) -> None:
    await toy.control.add({"operation": "echo", "calls": 1, "fault": {"kind": "missing_field", "field": "length"}})
    await toy.control.add({"operation": "echo", "calls": 2, "fault": {"kind": "status", "status": 503}})
    for _ in range(2):
        await toy.ask("/echo", body={"text": "a"}, virtual=virtual)
    changed, refused = await toy.control.ledger("w")
    assert (changed["sent"], changed["answered"]) == ({"text": "a"}, {"text": "a"})
    assert refused["sent"] is None  # the fault came before anybody read it
