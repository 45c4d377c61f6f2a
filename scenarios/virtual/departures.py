"""A worker that leaves a story: it drains, or dies without a word. What begins later waits for the next one."""

from functools import partial

from .code import SHUT_DOWN
from .story import Story


def worker_leaves(story: Story, back_at: float, drain: float | None) -> None:
    """Have the worker of a story's attempts leave now. What the workflow has to hear another one deals with.

    Args:
        story: whose attempts they are.
        back_at: the virtual second from which a new worker takes attempts.
        drain: virtual seconds in which what runs may still end; None for a worker that dies.
    """
    story.worker_left, story.no_worker_until = True, back_at
    for running in list(story.running.values()):
        if drain is None:
            running.loses_its_worker(silently=True)
        else:
            story.call_at(story.now + drain, partial(running.loses_its_worker, silently=False))
    for zombie in list(story.zombies):
        story.call_at(story.now + (drain or 0.0), zombie.ends, SHUT_DOWN)
