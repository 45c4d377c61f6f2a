"""An attempt that the server gives out again is told as that: whoever looks at the story knows what it is worth."""

from typing import Any

from scenarios.stories.timelines import Timeline
from tests.virtual.session import Session

FAILS = ("fails", 2, 1)


def test_a_story_whose_attempts_come_once_says_so(session: Session) -> None:
    told, story = session.one(*FAILS, attempts=3)
    assert told == ["done", 6]
    assert (story.given_twice, read(story).given_twice) == (0, 0)


def test_an_attempt_that_comes_again_is_counted(session: Session) -> None:
    async def came_already(handle: Any) -> None:
        [key] = (story := session.virtual.story(handle.id)).running
        story.come[key] = 2  # nobody can make the server forget that it has given the second one out

    _, story = session.one(*FAILS, attempts=3, plan=[(0.5, came_already)])
    assert [each.number for each in story.attempts()] == [1, 2, 3]
    assert (story.given_twice, read(story).given_twice) == (1, 1)


def read(story: Any) -> Timeline:
    timeline = Timeline(story.name)
    timeline.read(story)
    return timeline
