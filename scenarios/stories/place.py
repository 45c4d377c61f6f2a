"""Where scenarios run."""

from collections.abc import Mapping
from typing import Protocol

from temporalio.client import Client

from fakes.kit.client import AsyncControl
from scenarios.around_the_gateway import Keeping, Losing, Refusing
from scenarios.virtual import VirtualTime

CALLER = "stories"
API_KEY = "the-key-of-the-stories"


class Place(Protocol):
    """Where scenarios run.

    Attributes:
        gateway: the address of the gateway's API.
        guarded: that of one which knows its callers by keys, of which `API_KEY` is CALLER's; None where there is none.
        virtual: whether time is.
        controls: the fakes' control planes by service; empty where the services are real.
        temporal: the way to histories; None where there is none.
        time: of its workflows, where it is virtual.
        lost_answers: loses Temporal's; None where nothing can.
        stagings: refuses photos to the gateway; None where nothing can.
        store: what is kept there can be read; None where nobody may.
    """

    gateway: str
    guarded: str | None
    virtual: bool
    controls: Mapping[str, AsyncControl]
    temporal: Client | None
    time: VirtualTime | None
    lost_answers: Losing | None
    stagings: Refusing | None
    store: Keeping | None

    async def until(self, workflow_id: str, seconds: float) -> None:
        """Return so many seconds after a workflow was started, by the clock of this place."""
        ...
