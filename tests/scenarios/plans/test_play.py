"""`make play` as a user sees it: the same to the byte, red when a rule no longer fires, clear about a wrong plan."""

import json
from pathlib import Path

import pytest

from tests.command import Command

STORED = Path(__file__).resolve().parents[3] / "scenarios" / "plans"


@pytest.mark.long("two worlds of their own, one after the other")
async def test_a_plan_is_played_again_to_the_byte(command: Command, tmp_path: Path) -> None:
    plan = next(STORED.glob("*.json"))
    records = [tmp_path / "first.json", tmp_path / "second.json"]
    for record in records:
        await command.start("play", str(plan), "--record", str(record), "--timeline", str(tmp_path / "page.html"))
        assert await command.end() == 0, command.output
    assert records[0].read_bytes() == records[1].read_bytes()
    assert json.loads(records[0].read_text())["ledger"]
    assert plan.stem in (tmp_path / "page.html").read_text()


async def test_a_plan_whose_rule_no_longer_fires_is_red_and_says_so(command: Command, tmp_path: Path) -> None:
    plan = tmp_path / "old.json"
    rule = {"service": "sam3", "operation": "submit", "calls": "7", "fault": {"kind": "status", "status": 503}}
    plan.write_text(json.dumps({"version": 1, "name": "old", "story": "It was seen once.", "rules": [rule]}))
    await command.start("play", str(plan))
    assert await command.end() == 1
    assert "inconclusive: status on sam3.submit never fired" in command.output
    assert f"make play PLAN={plan}" in command.output


async def test_a_wrong_plan_ends_with_2_before_anything_starts(command: Command, tmp_path: Path) -> None:
    plan = tmp_path / "wrong.json"
    plan.write_text('{"version": 1, "name": "wrong", "story": "?", "photo": "moon"}')
    await command.start("play", str(plan))
    assert await command.end(within=30) == 2
    assert "photo: no such photo: 'moon'" in command.output
