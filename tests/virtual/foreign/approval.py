"""An expense waits for a person, who is reminded each day; after three days somebody else is asked as well."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from temporalio import activity, workflow

REMINDER = timedelta(days=1)
ESCALATES_AFTER = 3
EXPIRES_AFTER = 7


@dataclass
class Decision:
    """What somebody said."""

    approved: bool
    by: str


@activity.defn
async def send_mail(to: str, about: str) -> None:
    """Send a mail."""
    activity.logger.info("mail to %s: %s", to, about)
    await asyncio.sleep(1)


@workflow.defn
class ExpenseWorkflow:
    """One expense."""

    def __init__(self) -> None:
        self._decision: Decision | None = None
        self._reminders = 0

    @workflow.run
    async def run(self, expense: str) -> str:
        """Return what became of it: approved, refused or expired."""
        await self._mail("manager", f"please decide on {expense}")
        while self._decision is None and self._reminders < EXPIRES_AFTER:
            try:
                await workflow.wait_condition(lambda: self._decision is not None, timeout=REMINDER)
            except TimeoutError:
                self._reminders += 1
                await self._mail("manager", f"still open: {expense}")
                if self._reminders == ESCALATES_AFTER:
                    await self._mail("director", f"nobody decides on {expense}")
        if self._decision is None:
            return "expired"
        await self._mail("employee", f"{expense}: {'approved' if self._decision.approved else 'refused'}")
        return f"{'approved' if self._decision.approved else 'refused'} by {self._decision.by}"

    @workflow.signal
    def decide(self, decision: Decision) -> None:
        """Take a decision; the first one counts."""
        self._decision = self._decision or decision

    @workflow.query
    def reminders(self) -> int:
        """Say how often the manager was reminded."""
        return self._reminders

    async def _mail(self, to: str, about: str) -> None:
        await workflow.execute_activity(send_mail, args=[to, about], start_to_close_timeout=timedelta(seconds=30))
