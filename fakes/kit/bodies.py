"""What rules see of a request: the top-level scalar fields of its JSON, and only those that a rule asks about."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from starlette.types import Message, Receive

Scalar = str | int | float | bool | None
LONGEST_TEXT = 1000
"""Characters of a text that a rule can match, since the ledger keeps it."""


@dataclass(frozen=True, slots=True)
class Other:
    """A value that no rule can name."""

    words: str


MISSING = Other("missing")
Fields = Mapping[str, Scalar | Other]


def fields(body: bytes, names: Collection[str]) -> Fields:
    """Return those fields of a JSON object. Of anything else, all are missing."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    found = value if isinstance(value, dict) else {}
    return {name: _seen(found[name]) if name in found else MISSING for name in names}


async def read(receive: Receive) -> tuple[bytes, Receive]:
    """Return a request's body, and a `receive` that gives it once more."""
    messages: list[Message] = []
    more = True
    while more:
        messages.append(await receive())
        more = messages[-1].get("more_body", False)
    ahead = iter(messages)

    async def again() -> Message:
        return next(ahead, None) or await receive()

    return b"".join(message.get("body", b"") for message in messages), again


def _seen(value: object) -> Scalar | Other:
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        return Other(f"a text of {len(value)} characters")
    if value is None or isinstance(value, str | int | float):
        return value
    return Other("a list" if isinstance(value, list) else "an object")
