"""The specification as a model that can be run: from a plan the stories that are allowed.

It is pure, looks at no clock and imports nothing of the application: it is what judges it. Its numbers are literals
with their places (`numbers.py`, `scenarios.pipeline`). Where the specification leaves freedom,
it allows several stories.
"""

from scenarios.model.choices import Undecided, every_way
from scenarios.model.story import Story
from scenarios.model.tryon import told
from scenarios.plans import Plan

__all__ = ["Story", "Undecided", "stories"]


def stories(plan: Plan) -> list[Story]:
    """Return every story that the specification allows for a plan, but not what happens to those beside it.

    Raises:
        Undecided: the model says nothing of this plan: it goes by chance, or has a fault that it does not know.
    """
    return every_way(lambda choices: told(plan, choices))
