"""The story of a failure tells a person what to know; the table and the drawing hold every run."""

import xml.etree.ElementTree as ET

from scenarios.stories.drawing import card, drawing, page
from scenarios.stories.report import story, table
from scenarios.stories.timelines import Happening
from tests.scenarios.stories.made_runs import call, completed, failed


def test_the_story_of_a_failure() -> None:
    run = failed()
    run.problems = ["code: expected A, seen B"]
    told = story(run, "make scenarios ONLY=made SEED=1")
    for words in (
        "scenario made: FAILED",
        "Made by hand.",
        "✗ code: expected A, seen B",
        "SAM3_TIMEOUT at GENERATING_MASK (SAM3 did not answer in time)",
        "rule: sam3.submit {'kind': 'status', 'status': 503} on calls 1, fired 1 times",
        "0.0      sam3.submit call 1: 503  ⚡ status",
        "0.0      Sam3UnavailableError: SAM3 answered with status 503; again in 2 s",
        "2.0  generate_mask attempt 2",
        "run it again: make scenarios ONLY=made SEED=1",
    ):
        assert words in told, told


def test_a_long_row_of_polls_is_shortened() -> None:
    run = completed()
    run.timeline.attempts[2].ended = 120.0
    run.timeline.now = (run.timeline.began or 0) + 120
    run.calls += [call(number=2 + number, attempt=2, at=6.0 + 2 * number) for number in range(50)]
    told = story(run, "")
    assert "… 47 more of sam3.poll" in told
    assert told.count("sam3.poll call") == 4


def test_the_table_ends_in_its_line() -> None:
    bad = failed()
    bad.problems = ["x"]
    lines = table([completed(), bad], wall_s=0.5).splitlines()
    assert lines[1].split()[:2] == ["made", "COMPLETED"]
    assert "SAM3_TIMEOUT" in lines[2]
    assert lines[-2] == "1 of 2 scenarios failed"
    assert lines[-1] == "2 scenarios, 0.00 virtual hours in 0.5 s, 16 times real time"


def test_the_drawing_is_well_formed_and_has_each_attempt_backoff_call_and_fault() -> None:
    run = completed()
    run.timeline.happenings.append(Happening(3.0, "cancel"))
    root = ET.fromstring(drawing(run))
    kinds = [element.get("class") for element in root.iter() if element.get("class")]
    assert kinds.count("completed") == 3
    assert kinds.count("failure") == 1
    assert kinds.count("backoff") == 1
    assert kinds.count("fault") == 1
    assert kinds.count("call") == 4
    assert kinds.count("cancel") == 1


def test_the_page_is_self_contained_and_escapes_what_it_shows() -> None:
    run = completed()
    run.problems = ["<script>alert(1)</script>"]
    html = page([card(run), card(failed())])
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert "http://" not in html.replace("http://www.w3.org", "")
    assert "2 scenarios, 8 virtual seconds, 1 failed" in html
