"""Names that others rely on, letter by letter: clients come again with a key, services and rules look for blobs."""

import pytest

from app.names import is_another_s, photo_blob, plain_blob, result_blob, staged_blob, workflow_id_for


@pytest.mark.parametrize(
    ("caller", "workflow_id"),
    [
        (None, "becab926-dd82-5edf-ad8a-2d9e02b1d429"),
        ("web", "2bc2a200-4a4b-559f-a714-7eb620fb936d"),
    ],
)
def test_a_key_becomes_the_same_id_in_every_version(caller: str | None, workflow_id: str) -> None:
    assert workflow_id_for("key", caller) == workflow_id


def test_without_a_key_every_try_on_has_an_id_of_its_own() -> None:
    assert len({workflow_id_for(key) for key in (None, "", None)}) == 3


def test_blobs() -> None:
    names = staged_blob("w"), photo_blob("w"), result_blob("w", "gemini-fidelity")
    assert names == ("staging/w", "w.jpg", "w-gemini-fidelity.jpg")


@pytest.mark.parametrize(
    ("service_s", "name"),
    [("masks/17.png", "w-17-plain.png"), ("w-mask.png", "w-mask-plain.png"), ("mask", "w-mask-plain.png")],
)
def test_a_mask_written_anew_is_named_after_try_on_and_mask(service_s: str, name: str) -> None:
    assert plain_blob("w", service_s) == name


def test_a_try_on_s_blobs_begin_with_its_id() -> None:
    own, another = workflow_id_for("one"), workflow_id_for("other")
    assert all(is_another_s(name, own) for name in (photo_blob(another), f"{another}/mask.png", staged_blob(own)))
    for name in (photo_blob(own), f"{own}/mask.png", f"masks/{another}.png", "mask.png"):
        assert not is_another_s(name, own)
