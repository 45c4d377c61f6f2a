"""How an attempt ended, kept until its workflow has heard of it: the word of that may be lost on its way."""

from dataclasses import dataclass

from temporalio.client import Client
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError


@dataclass(frozen=True)
class Ended:
    """An attempt's end.

    Args:
        token: by which the server knows the attempt; it takes no word of one that it has done with.
        said: its result, its failure, or None where it was cancelled.
    """

    token: bytes
    said: RawValue | ApplicationError | None

    async def say_again(self, client: Client) -> None:
        """Tell the server.

        Raises:
            RPCError: it does not answer, or knows it already.
        """
        attempt = client.get_async_activity_handle(task_token=self.token)
        if self.said is None:
            await attempt.report_cancellation()
        elif isinstance(self.said, ApplicationError):
            await attempt.fail(self.said)
        else:
            await attempt.complete(self.said)
