"""What goes wrong between the gateway and Temporal: answers that get lost, refusals, and cancels that come too late."""

import asyncio
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from temporalio.client import (
    CancelWorkflowInput,
    Client,
    Interceptor,
    OutboundInterceptor,
    StartWorkflowInput,
    WorkflowFailureError,
)
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from scenarios.scenario import ASKED, Lost

DRAWN_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-8")
"""How the id of a try-on begins that was started without a key: a UUIDv8, as `app.names` draws it."""


class LostAnswers(Interceptor):
    """Has calls of the gateway go wrong, for workflows of which that was said."""

    def __init__(self) -> None:
        self._client: Client
        self._left: dict[str, Counter[str]] = {}
        self._taking_nothing = 0
        self._overtaken: dict[str, asyncio.Event] = {}

    def for_gateway(self, client: Client) -> Client:
        """Return a client beside this one, on the same connection, whose calls go wrong."""
        self._client = client
        config = client.config(active_config=True)
        config["interceptors"] = [self, *config["interceptors"]]
        config["plugins"] = []  # they have had their say
        return Client(**config)

    def lose(self, workflow_id: str, lost: Lost) -> None:
        """Lose the first answers about a workflow, and refuse what is said to be refused."""
        self._left[workflow_id] = Counter({"start": lost.start, "cancel": lost.cancel, "refused": lost.refused})

    @contextmanager
    def nothing_taken(self) -> Iterator[None]:
        """Lose starts without a key on their way meanwhile, in both questions: Temporal hears of none."""
        self._taking_nothing += 1
        try:
            yield
        finally:
            self._taking_nothing -= 1

    def overtake(self, workflow_id: str) -> asyncio.Event:
        """Let the next cancel of a workflow reach Temporal only once it has ended; what is returned is set before."""
        return self._overtaken.setdefault(workflow_id, asyncio.Event())

    def forget(self, workflow_id: str) -> None:
        """Let nothing more go wrong for a workflow."""
        self._left.pop(workflow_id, None)
        self._overtaken.pop(workflow_id, None)

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002 - the SDK's name
        """Wrap the calls."""
        return _Calls(next, self)

    def asked(self, workflow_id: str) -> None:
        """Say that Temporal is to start something.

        Raises:
            RPCError: it is refused, or gets lost on its way.
        """
        if self._taking_nothing and workflow_id not in self._left and DRAWN_ID.match(workflow_id):
            self._left[workflow_id] = Counter(untaken=ASKED)
        if self._take(workflow_id, "untaken"):
            raise RPCError("lost on its way", RPCStatusCode.UNAVAILABLE, b"")
        if not self._left.get(workflow_id, Counter())["start"] and self._take(workflow_id, "refused"):
            raise RPCError("too many requests", RPCStatusCode.RESOURCE_EXHAUSTED, b"")

    def done(self, what: str, workflow_id: str) -> None:
        """Say that Temporal has done something.

        Raises:
            RPCError: the answer is one of those that are lost.
        """
        if self._take(workflow_id, what):
            raise RPCError("the answer was lost", RPCStatusCode.DEADLINE_EXCEEDED, b"")

    async def let_through(self, workflow_id: str) -> None:
        """Return when a cancel is to reach Temporal: at once, or when it was overtaken."""
        if held := self._overtaken.pop(workflow_id, None):
            held.set()
            with suppress(WorkflowFailureError):
                await self._client.get_workflow_handle(workflow_id).result()

    def _take(self, workflow_id: str, what: str) -> bool:
        """Take one of what is left to go wrong; say whether there was one."""
        left = self._left.get(workflow_id, Counter())
        there = left[what] > 0
        left[what] -= there
        return there


class _Calls(OutboundInterceptor):
    def __init__(self, following: OutboundInterceptor, answers: LostAnswers) -> None:
        super().__init__(following)
        self._answers = answers

    async def start_workflow(self, input: StartWorkflowInput) -> Any:  # noqa: A002 - the SDK's name
        self._answers.asked(input.id)
        try:
            started = await super().start_workflow(input)
        except WorkflowAlreadyStartedError:
            self._answers.done("start", input.id)
            raise
        self._answers.done("start", input.id)
        return started

    async def cancel_workflow(self, input: CancelWorkflowInput) -> None:  # noqa: A002 - the SDK's name
        await self._answers.let_through(input.id)
        await super().cancel_workflow(input)
        self._answers.done("cancel", input.id)
