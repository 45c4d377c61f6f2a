"""The model against every hand-written expectation of the catalogue: each tests the other."""

from collections.abc import Iterator

import pytest

from scenarios.catalogue import CATALOGUE
from scenarios.model import Story, stories
from scenarios.plans import plan_of
from scenarios.scenario import Expect, Scenario

TENTH_S = 0.1


def unmet(expect: Expect, story: Story) -> Iterator[str]:
    yield from _outcome(expect, story)
    if expect.length_s is not None and abs(expect.length_s - story.length) > TENTH_S:
        yield f"length: {story.length}"
    for name, times in expect.calls.items():
        if (made := sum(name in {call.name, call.service} for call in story.calls)) != times:
            yield f"calls of {name}: {made}, not {times}"
    for activity, began in expect.attempts.items():
        yield from _times(activity, began, [each.began for each in story.attempts if each.activity == activity])
    for name, made_at in expect.call_times.items():
        yield from _times(name, made_at, [call.at for call in story.calls if call.name == name])


def _outcome(expect: Expect, story: Story) -> Iterator[str]:
    outcome = {"status": story.status, "code": story.code, "failed_step": story.step}
    for name, said in outcome.items():
        if getattr(expect, name) not in {None, said}:
            yield f"{name}: {said}, not {getattr(expect, name)}"
    if expect.http_status not in {None, story.http_status}:
        yield f"http_status: {story.http_status}"
    if expect.background_removed not in {None, story.background_removed}:
        yield f"background removed: {story.background_removed}"
    if expect.gemini is not None and expect.gemini is not ("geminiResultBase64" in story.results):
        yield f"results: {sorted(story.results)}"


def _times(what: str, wanted: tuple[float, ...], said: list[float]) -> Iterator[str]:
    if len(wanted) != len(said) or any(abs(a - b) > TENTH_S for a, b in zip(wanted, said, strict=True)):
        yield f"{what}: {said}, not {wanted}"


@pytest.mark.parametrize("scenario", CATALOGUE, ids=lambda scenario: scenario.name)
def test_the_model_tells_the_story_that_the_catalogue_expects(scenario: Scenario) -> None:
    allowed = stories(plan_of(scenario))
    problems = [list(unmet(scenario.expect, story)) for story in allowed]
    assert [] in problems, problems
    for story in allowed:
        fired = zip(story.fired, scenario.rules, strict=True)
        assert story.status == "REFUSED" or all(acted for acted, rule in fired if rule.must_fire)


def test_an_expectation_that_is_wrong_is_noticed() -> None:
    """Each field that the catalogue uses, said wrongly once, so that the check above is no empty one."""
    story = stories(plan_of(next(each for each in CATALOGUE if each.name == "near")))[0]
    for wrong in (
        Expect(status="FAILED"),
        Expect(code="A100_ERROR"),
        Expect(failed_step="GENERATING_MASK"),
        Expect(http_status=422),
        Expect(background_removed=True),
        Expect(gemini=False),
        Expect(length_s=3),
        Expect(calls={"sam3": 3}),
        Expect(attempts={"generate_mask": (0, 2)}),
        Expect(call_times={"sam3.poll": (2.5,)}),
    ):
        assert list(unmet(wrong, story)), wrong


def test_the_model_allows_one_story_for_nearly_every_scenario() -> None:
    single = sum(len(stories(plan_of(scenario))) == 1 for scenario in CATALOGUE)
    assert single >= 0.95 * len(CATALOGUE)
