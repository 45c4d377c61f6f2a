"""Names that others rely on, letter by letter: clients come again with a key, services and rules look for blobs."""

import pytest

from app.names import photo_blob, result_blob, staged_blob, workflow_id_for


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
