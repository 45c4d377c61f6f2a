"""Which lies about pictures can be noticed (docs/fakes.md, "Lies that nobody can notice")."""

from collections.abc import Sequence

from scenarios.model.choices import Choices, Undecided
from scenarios.model.faults import Matched
from scenarios.model.numbers import MAX_DIMENSION, THIN
from scenarios.photos import PHOTOS
from scenarios.plans import Plan

ALWAYS = {
    *("picture_truncated", "picture_empty", "picture_garbage", "picture_size", "picture_format"),
    *("picture_no_alpha", "cutout_empty", "cutout_full", "mask_foreign", "source_named"),
}
NEVER = {"result_named", "result_format", "mask_values", "cutout_mode"}
"""They say the same in another dress."""
PNGS = {"birefnet", "sam3", "refine_mask"}
"""Their results are whole without the end's marker: each part of a PNG tells its length, and a checksum its pixels."""


def in_another_scale(operation: str, lies: Sequence[Matched], plan: Plan) -> bool:
    """Say whether what is taken for a mask is to be written anew in the usual scale (docs/reliability.md).

    So are zeros and ones, and what alpha says, a cut-out's too.

    Raises:
        Undecided: a painted mask may have one value alone, which says nothing of its scale.
    """
    scales = {each.fault.get("values", "0-1") for each in lies if each.kind == "mask_values"}
    modes = {stroke.mode for stroke in plan.strokes}
    if operation == "refine_mask" and (
        ("add" not in modes and scales & {"0-1", "16-bit", "16-bit-0-1"})
        or ("remove" not in modes and "alpha" in scales)
    ):
        raise Undecided("a painted mask that may be all of one value")
    return bool(scales & {"0-1", "16-bit-0-1", "alpha"}) or any(each.kind == "picture_unchanged" for each in lies)


def in_no_scale(operation: str, lies: Sequence[Matched]) -> bool:
    """Say whether what is taken for a mask has values of which nobody knows what they mean: it would be made so again.

    Raises:
        Undecided: it is a painted one, which may have only one value.
    """
    told = _telling(operation, lies)
    if not told or told[-1].kind != "mask_values" or told[-1].fault.get("values") != "1-2":
        return False
    if operation == "refine_mask":
        raise Undecided("a painted mask of ones and twos may be ones or twos alone")
    return True


def _telling(operation: str, lies: Sequence[Matched]) -> list[Matched]:
    passing = [each for each in lies if operation in PNGS and each.fault.get("at") == "end"]
    return [each for each in lies if each.kind not in {"result_named", "picture_heavy"} and each not in passing]


def noticed(operation: str, lies: Sequence[Matched], plan: Plan, choices: Choices) -> bool:
    """Say whether a result that was lied about is refused, by what is known of the request that it answers.

    Raises:
        Undecided: the lies are several, of which one may hide another.
    """
    told = [each.kind for each in _telling(operation, lies)]
    if len(told) == 1 and in_no_scale(operation, lies):
        return True
    if len(told) > 1:
        if "result_format" in told or told[-1] not in ALWAYS or told.count(told[-1]) > 1:
            raise Undecided(f"what {' and '.join(told)} come to together")
        return True
    return bool(told) and _noticed(operation, told[0], plan, choices)


def _noticed(operation: str, lie: str, plan: Plan, choices: Choices) -> bool:
    if lie in NEVER or lie in ALWAYS:
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
    """Only erasing may empty a mask, only painting may fill it, and the last stroke shows, or beside its line."""
    modes = [stroke.mode for stroke in plan.strokes]
    if lie == "mask_empty":
        return "remove" not in modes or modes[-1] == "add"
    if lie == "mask_full":
        return "add" not in modes or modes[-1] == "remove"
    return True if len(modes) == 1 and plan.strokes[0].size >= THIN else choices.either(True, False)
