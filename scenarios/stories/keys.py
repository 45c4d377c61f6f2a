"""A gateway that knows its callers by keys: who has none, and the ways in which one may come."""

from collections.abc import Mapping
from typing import Any

import httpx

from scenarios.stories.acts import Answered
from scenarios.stories.asking import Asking, answer_of
from scenarios.stories.place import API_KEY

STRANGERS: tuple[Mapping[str, str], ...] = (
    {},
    {"X-API-Key": "the-key-of-nobody"},
    {"Authorization": "Bearer the-key-of-nobody"},
    {"Authorization": f"Basic {API_KEY}"},
)
"""What those say whom a gateway with keys does not let in: nothing, a key that is none, one in a way that is none."""
KEYED: tuple[Mapping[str, str], ...] = (
    {"Authorization": f"Bearer {API_KEY}"},
    {"Authorization": f"bearer {API_KEY}", "X-API-Key": "of-a-proxy"},
    {"Authorization": "Bearer of-a-proxy", "X-API-Key": API_KEY},
    {"Authorization": "Basic b2Y6YS1wcm94eQ==", "X-API-Key": API_KEY},
)
"""One of the two headers has it, whatever the other is for (docs/api.md)."""
UNAUTHORIZED = 401


async def as_a_stranger(asking: Asking) -> Answered:
    """Ask all that can be asked of a try-on without a key of the gateway's; return the first answer that lets one in.

    Where there is none, the answer is that to the first question.
    """
    key = {"Idempotency-Key": asking.start.headers.get("Idempotency-Key", "")}
    asked: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("GET", f"/workflow/{asking.workflow_id}", {}),
        ("GET", f"/workflow/{asking.workflow_id}/events", {}),
        ("POST", f"/workflow/{asking.workflow_id}/cancel", {}),
        ("POST", "/workflow/start", key),
    )
    async with asking.without_a_key() as stranger:
        answers = [
            await stranger.request(method, path, headers={**headers, **more}, content=b"{}" if more else None)
            for headers in STRANGERS
            for method, path, more in asked
        ]
    told = [answer_of(asking, each) for each in answers]
    return next((each for each in told if each.http_status != UNAUTHORIZED), told[0])


async def by_each_header(asking: Asking) -> Answered:
    """Look with the key in each way in which it may come; return the first answer that tells nothing, else the last."""
    async with asking.without_a_key() as user:
        url = f"/workflow/{asking.workflow_id}"
        told = [answer_of(asking, await user.get(url, headers=headers)) for headers in KEYED]
    return next((each for each in told if each.http_status != httpx.codes.OK), told[-1])
