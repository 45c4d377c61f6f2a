"""What can be made to go wrong around the gateway, in virtual time: who does it is the world's own."""

import asyncio
from contextlib import AbstractContextManager
from typing import Protocol

from scenarios.scenario import Lost, Staging


class Refusing(Protocol):
    """Refuses photos and results to the gateway."""

    def refuse(self, workflow_id: str, staging: Staging) -> None:
        """Refuse the photo of a workflow."""
        ...

    def unread(self, workflow_id: str, staging: Staging) -> AbstractContextManager[None]:
        """Refuse the results of a workflow meanwhile, or those whose names begin so."""
        ...

    def forget(self, workflow_id: str) -> None:
        """Refuse it no longer."""
        ...


class Keeping(Protocol):
    """Shows what the store keeps."""

    async def read(self, name: str) -> bytes | None:
        """Return the bytes of a blob, None where there is none."""
        ...


class Losing(Protocol):
    """Has things go wrong between the gateway and Temporal."""

    def lose(self, workflow_id: str, lost: Lost) -> None:
        """Lose the first answers about a workflow, and refuse what is said to be refused."""
        ...

    def nothing_taken(self) -> AbstractContextManager[None]:
        """Lose starts without a key on their way meanwhile, in both questions: Temporal hears of none."""
        ...

    def overtake(self, workflow_id: str) -> asyncio.Event:
        """Let the next cancel of a workflow reach Temporal only once it has ended; what is returned is set before."""
        ...

    def forget(self, workflow_id: str) -> None:
        """Let nothing more go wrong for a workflow."""
        ...
