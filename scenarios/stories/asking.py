"""What the user asks for, and of whom; and what the answer comes to."""

from dataclasses import replace
from typing import Any, NamedTuple

import httpx
from temporalio.client import Client

from scenarios.around_the_gateway import Refusing
from scenarios.gateway_client import TIMEOUT_S, GatewayClient, json_of
from scenarios.scenario import Act
from scenarios.stories.acts import Answered, Start


class Asking(NamedTuple):
    """What is asked for, and of whom.

    Attributes:
        gateway: whom to ask.
        temporal: whom to ask for the workflow's own word; None where there is no way to it.
        act: what to do.
        workflow_id: of the try-on.
        start: its request, for a repeated one.
        stagings: refuses results; None where nothing can.
    """

    gateway: GatewayClient
    temporal: Client | None
    act: Act
    workflow_id: str
    start: Start
    stagings: Refusing | None

    def without_a_key(self) -> httpx.AsyncClient:
        """Return a client of the same gateway that sends no key by itself."""
        return httpx.AsyncClient(base_url=self.gateway.url, timeout=TIMEOUT_S, trust_env=False)


def answer_of(asking: Asking, answer: httpx.Response) -> Answered:
    """Return what an answer says."""
    told = answered(asking, answer.status_code, json_of(answer))
    return replace(told, again_after=answer.headers.get("Retry-After"))


def answered(
    asking: Asking,
    http_status: int,
    said: dict[str, Any],
    events: tuple[tuple[str, int | None, str | None], ...] = (),
) -> Answered:
    """Return what was said, as an answer; `events` are those of a stream."""
    error = said.get("error") or {}
    return Answered(
        asking.act,
        http_status,
        said.get("status"),
        error.get("code"),
        own=said.get("workflowId", asking.workflow_id) == asking.workflow_id,
        place=(said["progress"], said["currentStep"]) if "progress" in said else None,
        events=events,
    )
