"""A story without Temporal: for code whose waits are to be virtual in a test of its own."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from .errors import VirtualTimeError
from .holds import Hold
from .loop import VirtualLoop
from .story import Story, current


class _Nobody:
    def waits_for(self, story: Story) -> bool:
        return not story.holds

    def tell_fired(self, story: Story, workflow_id: str, hold: Hold, at: float) -> None:
        """Without a workflow no timer of one fires."""


@contextmanager
def story_alone(base: float = 0.0) -> Iterator[Story]:
    """Let the code inside, and the tasks that it starts, live in a story of their own, whose time always passes.

    Args:
        base: its beginning in Unix seconds.

    Raises:
        VirtualTimeError: the loop is not a `VirtualLoop`.
    """
    loop = asyncio.get_running_loop()
    if not isinstance(loop, VirtualLoop):
        raise VirtualTimeError("virtual time needs a VirtualLoop: asyncio.Runner(loop_factory=VirtualLoop)")
    story = Story("alone", loop, _Nobody(), base)
    story.free = True
    token = current.set(story)
    try:
        yield story
    finally:
        current.reset(token)
