"""The names that a try-on goes by outside of the program: its id, and its blobs."""

import re
import uuid
from pathlib import PurePosixPath

IDEMPOTENCY_NAMESPACE = uuid.UUID("6f1d7a52-3c0e-5b8e-9d41-2a7c5e90b3f4")
"""The namespace of the UUIDv5 that an Idempotency-Key becomes. Changing it starts every retried request again."""

_OWN_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
"""A UUIDv8, in the one way that it is written: clients make their keys by other versions."""

_WORKFLOW_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def workflow_id_for(idempotency_key: str | None, caller: str | None = None) -> str:
    """Return the id of a new try-on: the UUIDv5 of its key, or a random UUIDv8, which as a key stands for itself.

    So a start without a key can be sent again, by the id that its answer named. A caller that the gateway knows by its
    API key has a namespace of its own: nobody else comes upon its try-ons by the same key.
    """
    if not idempotency_key:
        drawn = str(uuid.uuid4())
        return f"{drawn[:14]}8{drawn[15:]}"
    if _OWN_ID.fullmatch(idempotency_key):
        return idempotency_key
    namespace = uuid.uuid5(IDEMPOTENCY_NAMESPACE, caller) if caller else IDEMPOTENCY_NAMESPACE
    return str(uuid.uuid5(namespace, idempotency_key))


def staged_blob(workflow_id: str) -> str:
    """Return the name of the blob that holds the photo as it was posted."""
    return f"staging/{workflow_id}"


def photo_blob(workflow_id: str) -> str:
    """Return the name of the upright photo; services make theirs of it (specification, `….jpg` to `…-resized.jpg`)."""
    return f"{workflow_id}.jpg"


def result_blob(workflow_id: str, name: str) -> str:
    """Return the name of a picture that the A100 made: `flux`, `gemini-fidelity` and so on."""
    return f"{workflow_id}-{name}.jpg"


def plain_blob(workflow_id: str, name: str) -> str:
    """Return the name of a mask that was written anew, since not everybody would read the service's own alike."""
    return f"{workflow_id}-{PurePosixPath(name).stem.removeprefix(f'{workflow_id}-')}-plain.png"


def is_another_s(blob: str, workflow_id: str) -> bool:
    """Say whether a blob belongs to another try-on: whatever was staged, and what begins with another's id.

    Services may otherwise name their results as they like.
    """
    begins = _WORKFLOW_ID.match(blob)
    return blob.startswith(staged_blob("")) or (begins is not None and begins[0].lower() != workflow_id.lower())
