"""One cell of the chaos table: a fault, where it strikes, and what must come of it."""

import base64
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from app.names import workflow_id_for
from scenarios.chaos.site import CALLER, StruckStack, expect
from scenarios.pipeline import BY_NAME, STEPS, Step

JPEG = b"\xff\xd8\xff"
ONCE = (1, 1)
AT_MOST_ONCE_MORE = (1, 2)
NEVER_TWICE = (0, 1)
CALLS = tuple((step.service, step.work) for step in STEPS if step.service)
"""What a whole try-on with strokes asks of the services, each once when nothing goes wrong."""


@dataclass(frozen=True)
class StruckTryOn:
    """The try-on that a fault strikes. Its id follows from its key, so that rules can name it before it starts."""

    key: str
    step: Step

    @property
    def id(self) -> str:
        """The workflow id."""
        return workflow_id_for(self.key, CALLER)


Strike = Callable[[StruckStack, StruckTryOn], Awaitable[None]]
"""Starts the try-on, lets the fault happen, and checks what only it can see. The runner does the rest."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A cell of the table.

    Attributes:
        fault: the row: what is done, in a few words.
        step: the column: where it is done.
        strike: does it.
        status: how the try-on ends; `code` is the failure's, which is then at `step` unless `failed_step` says another.
        calls: how often an operation may be called, least and most, where that is not exactly once, or at most
            once in a try-on that does not complete.
        within: seconds for the try-on to end after the strike.
    """

    fault: str
    step: str
    strike: Strike
    status: str = "COMPLETED"
    code: str | None = None
    failed_step: str | None = None
    calls: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    within: float = 90

    @property
    def name(self) -> str:
        """The case's name, by which it is chosen."""
        return f"{self.fault} / {self.step}"

    def try_on(self, run: str) -> StruckTryOn:
        """Return the try-on of this case in one run."""
        return StruckTryOn(f"chaos:{run}:{self.name}", BY_NAME[self.step])

    async def check(self, site: StruckStack, tryon: StruckTryOn) -> str:
        """Wait for the end and look at it.

        Returns:
            How often each service was called, where it was not once.

        Raises:
            ChaosError: it is not what must come of it.
        """
        view = await site.end(tryon.id, self.within)
        expect(view["status"] == self.status, f"{self.status} was to come, it is {view['status']}: {view.get('error')}")
        if self.code is not None:
            error, step = view["error"], self.failed_step or self.step
            seen = (error["code"], error["failedStep"])
            expect(seen == (self.code, step), f"{self.code} at {step} was to come, it is {seen}")
        if self.status == "COMPLETED":
            picture = base64.b64decode(view["result"]["fluxResultBase64"])
            expect(picture.startswith(JPEG), f"the result is no picture: {picture[:20]!r}")
        counts = []
        for service, operation in CALLS:
            name = f"{service}.{operation}"
            calls = await site.calls(service, operation, tryon.id)
            least, most = self.calls.get(name, ONCE if self.status == "COMPLETED" else NEVER_TWICE)
            expect(least <= len(calls) <= most, f"{name} was called {len(calls)} times, not {least} to {most}")
            if len(calls) > 1:
                counts.append(f"{name} {len(calls)} times")
        return ", ".join(counts)
