"""Answers of Temporal that the gateway does not get: what it asked for is done, and nobody tells it so."""

from collections import Counter
from typing import Any

from temporalio.client import CancelWorkflowInput, Client, Interceptor, OutboundInterceptor, StartWorkflowInput
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from scenarios.scenario import Lost


class LostAnswers(Interceptor):
    """Loses the first answers of each kind, for workflows of which that was said."""

    def __init__(self) -> None:
        self._left: dict[str, Counter[str]] = {}

    def for_gateway(self, client: Client) -> Client:
        """Return a client beside this one, on the same connection, whose answers may be lost."""
        config = client.config(active_config=True)
        config["interceptors"] = [self, *config["interceptors"]]
        config["plugins"] = []  # they have had their say
        return Client(**config)

    def lose(self, workflow_id: str, lost: Lost) -> None:
        """Lose the first answers about a workflow."""
        self._left[workflow_id] = Counter(lost._asdict())

    def forget(self, workflow_id: str) -> None:
        """Lose nothing more of a workflow."""
        self._left.pop(workflow_id, None)

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002 - the SDK's name
        """Wrap the calls."""
        return _Calls(next, self)

    def done(self, what: str, workflow_id: str) -> None:
        """Say that Temporal has done something.

        Raises:
            RPCError: the answer is one of those that are lost.
        """
        left = self._left.get(workflow_id, Counter())
        if left[what] > 0:
            left[what] -= 1
            raise RPCError("the answer was lost", RPCStatusCode.DEADLINE_EXCEEDED, b"")


class _Calls(OutboundInterceptor):
    def __init__(self, following: OutboundInterceptor, answers: LostAnswers) -> None:
        super().__init__(following)
        self._answers = answers

    async def start_workflow(self, input: StartWorkflowInput) -> Any:  # noqa: A002 - the SDK's name
        try:
            started = await super().start_workflow(input)
        except WorkflowAlreadyStartedError:
            self._answers.done("start", input.id)
            raise
        self._answers.done("start", input.id)
        return started

    async def cancel_workflow(self, input: CancelWorkflowInput) -> None:  # noqa: A002 - the SDK's name
        await super().cancel_workflow(input)
        self._answers.done("cancel", input.id)
