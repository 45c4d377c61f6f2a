"""Which lies about pictures can be noticed (docs/fakes.md, "Lies that nobody can notice")."""

from scenarios.model.choices import Choices
from scenarios.model.numbers import MAX_DIMENSION
from scenarios.photos import PHOTOS
from scenarios.plans import Plan

ALWAYS = {"picture_truncated", "picture_size", "picture_format", "picture_no_alpha", "mask_foreign"}

IN_ANOTHER_SCALE = "mask_values"
"""Means the same; the mask is written anew in the usual scale (docs/reliability.md)."""


def noticed(operation: str, lie: str | None, plan: Plan, choices: Choices) -> bool:
    """Say whether a result that was lied about is refused, by what is known of the request that it answers."""
    if lie in {None, IN_ANOTHER_SCALE} or lie in ALWAYS:
        return lie in ALWAYS
    if operation == "resize":  # a small photo that is given back is what a resize that never enlarges makes of it
        return max(PHOTOS[plan.photo].size) >= MAX_DIMENSION
    if operation in {"sam3", "refine_mask"} and lie == "picture_unchanged":
        return _cutout_for_a_mask(operation, plan, choices)
    if operation == "refine_mask":
        return _painted_lie(lie, plan, choices)
    if operation == "sam3" and lie == "mask_inverted" and plan.points is not None:
        return choices.either(True, False)  # it depends on how well the mask agrees with these points
    return True


def _cutout_for_a_mask(operation: str, plan: Plan, choices: Choices) -> bool:
    """A photo is no mask, but a cut-out's alpha is one: it lets the points of a person pass."""
    if not PHOTOS[plan.photo].far:
        return True
    usual = plan.points is None if operation == "sam3" else [stroke.mode for stroke in plan.strokes] == ["add"]
    return choices.either(False, True) if usual else choices.either(True, False)


def _painted_lie(lie: str, plan: Plan, choices: Choices) -> bool:
    """Only erasing may empty a mask, only painting may fill it, and the last stroke shows."""
    modes = [stroke.mode for stroke in plan.strokes]
    if lie == "mask_empty":
        return "remove" not in modes or modes[-1] == "add"
    if lie == "mask_full":
        return "add" not in modes or modes[-1] == "remove"
    return True if len(modes) == 1 else choices.either(True, False)
