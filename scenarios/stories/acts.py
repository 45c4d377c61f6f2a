"""What a user does beside starting a try-on and looking at it: at once after the start, or when it has ended."""

import json
from dataclasses import dataclass
from typing import Any

import httpx

from scenarios.gateway_client import GatewayClient
from scenarios.scenario import Act

WAIT_S = 60
"""The longest that the API lets a client wait in one request (docs/api.md)."""


@dataclass(frozen=True)
class Answered:
    """What an act was answered.

    Attributes:
        act: what was done, and when.
        http_status: of the answer.
        status: the try-on's, where the answer says one.
        code: of the error, where it is one.
        own: whether the answer names this try-on and no other.
        events: the names of the events in the order in which they came, for a stream.
    """

    act: Act
    http_status: int
    status: str | None
    code: str | None
    own: bool
    events: tuple[str, ...] = ()


async def perform(
    gateway: GatewayClient, act: Act, workflow_id: str, body: dict[str, Any], headers: dict[str, str]
) -> Answered:
    """Do one thing as a client would, and return what came of it.

    Args:
        gateway: whom to ask.
        act: what to do.
        workflow_id: of the try-on.
        body: of the start, for a repeated one.
        headers: of the start, its Idempotency-Key among them.
    """
    if act.do == "events":
        return await _follow(gateway, act, workflow_id)
    if act.do == "repeat":
        answer = await gateway.post(body, headers=headers)
    elif act.do == "repeat_other":
        other = body | {"sessionId": f"not {body.get('sessionId')}"[:100]}
        answer = await gateway.post(other, headers=headers)
    elif act.do == "cancel":
        answer = await gateway.cancel(workflow_id)
    else:
        answer = await gateway.look(workflow_id, wait_s=WAIT_S if act.do == "wait" else 0)
    return _answered(act, workflow_id, answer.status_code, answer.json())


async def _follow(gateway: GatewayClient, act: Act, workflow_id: str) -> Answered:
    """Follow the stream up to its first event, drop it, and take it up again to its end."""
    events: list[str] = []
    said: Any = {}
    status = 0
    for last in (False, True):
        async with gateway.events(workflow_id) as stream:
            status = stream.status_code
            async for line in stream.aiter_lines():
                if line.startswith("event:"):
                    events.append(line.removeprefix("event:").strip())
                elif line.startswith("data:"):
                    said = json.loads(line.removeprefix("data:"))
                    if not last or events[-1] == "end":
                        break
    return _answered(act, workflow_id, status, said, tuple(events))


def _answered(act: Act, workflow_id: str, http_status: int, said: Any, events: tuple[str, ...] = ()) -> Answered:
    error = said.get("error") or {}
    return Answered(
        act,
        http_status,
        said.get("status"),
        error.get("code") if http_status >= httpx.codes.BAD_REQUEST else None,
        own=said.get("workflowId", workflow_id) == workflow_id,
        events=events,
    )
