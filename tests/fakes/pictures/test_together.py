"""Two faults of pictures on one call: whatever the first makes of them, the second can work with it."""

import base64
from itertools import product
from typing import Any, get_args

import pytest

import fakes.faults  # noqa: F401 - all their kinds
from fakes.kit.faults import Fault, kinds
from fakes.pictures import portrait, remove_background, segment
from fakes.pictures.faults import PictureFault
from fakes.pictures.opening import PictureError
from fakes.pictures.result_faults import Base64Dress, ResultBroken, ResultFault

SOURCE = portrait(96, 80, seed=5)
MADE = {
    "photo": SOURCE,
    "cutout": remove_background(SOURCE),
    "mask": segment(SOURCE, [(0.5, 0.6)], [1]),
    "result": SOURCE,
}


def each(of: type[Fault]) -> list[Any]:
    """Return every fault of a family, once for each choice that a parameter of it has."""
    found = []
    for name, kind in kinds().items():
        if issubclass(kind, of):
            choices = {field: get_args(info.annotation) for field, info in kind.model_fields.items() if field != "kind"}
            words = {field: values for field, values in choices.items() if values and isinstance(values[0], str)}
            found += [kind(kind=name, **dict(zip(words, one, strict=True))) for one in product(*words.values())]
    return found


@pytest.mark.parametrize("what", MADE)
def test_a_picture_that_one_changed_is_one_for_the_other(what: str) -> None:
    lies = [fault for fault in each(PictureFault) if what in fault.of]
    together = [(one, two) for one, two in product(lies, lies) if one.contradicts(two) is None]
    assert len(together) > len(lies)
    for one, two in together:
        try:
            two.picture(one.picture(MADE[what], SOURCE), SOURCE)
        except PictureError as error:
            pytest.fail(f"{one!r}, then {two!r}: {error}")


def test_an_answer_that_one_changed_is_one_for_the_other() -> None:
    text = base64.b64encode(SOURCE).decode()
    fields = ("result_base64", "result_gemini_base64", "fidelity_viz_base64", "fidelity_viz_gemini_base64")
    answer = dict.fromkeys(fields, text) | {"metrics": {"precision": 1}, "metrics_gemini": {"precision": 1}}
    faults = [fault for fault in each(ResultFault) if getattr(fault, "field", fields[1]) == fields[1]]
    together = [(one, two) for one, two in product(faults, faults) if one.contradicts(two) is None]
    assert len(together) > len(faults)
    for one, two in together:
        try:
            two.changed(one.changed(answer))
        except Exception as error:  # noqa: BLE001 - whichever it is, the pair is named
            pytest.fail(f"{one!r}, then {two!r}: {error!r}")


@pytest.mark.parametrize("dress", ["data_url", "lines", "urlsafe", "unpadded"])
def test_a_picture_is_broken_in_whatever_dress(dress: str) -> None:
    answer = {"fidelity_viz_base64": base64.b64encode(SOURCE).decode()}
    dressed = Base64Dress.model_validate({"kind": "base64_dress", "dress": dress})
    broken = ResultBroken(kind="result_broken", field="fidelity_viz_base64", how="html")
    changed = broken.changed(dressed.changed(answer))
    assert base64.b64decode(changed["fidelity_viz_base64"]).startswith(b"<!doctype html>")
