"""A report is ordered from a service over HTTP and asked for every five seconds until it is there."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    import httpx


@dataclass
class Order:
    """A report to be made, and where."""

    service: str
    month: str


@activity.defn
async def make_report(order: Order) -> str:
    """Order a report, or take up the order that an attempt before gave, and ask until it is there."""
    async with httpx.AsyncClient(base_url=order.service, timeout=10) as http:
        details = activity.info().heartbeat_details
        if details:
            ticket = str(details[0])
        else:
            answer = await http.post("/reports", json={"month": order.month})
            ticket = str(answer.raise_for_status().json()["ticket"])
            activity.heartbeat(ticket)
        while True:
            state: dict[str, Any] = (await http.get(f"/reports/{ticket}")).raise_for_status().json()
            if state["state"] == "failed":
                raise ApplicationError("the service gave up", type="ReportFailed", non_retryable=True)
            if state["state"] == "done":
                return str(state["url"])
            activity.heartbeat(ticket)
            await asyncio.sleep(5)


@workflow.defn
class ReportWorkflow:
    """One report."""

    @workflow.run
    async def run(self, order: Order) -> str:
        """Return the report's address."""
        return await workflow.execute_activity(
            make_report,
            order,
            start_to_close_timeout=timedelta(minutes=10),
            heartbeat_timeout=timedelta(seconds=30),
            retry_policy=RetryPolicy(initial_interval=timedelta(seconds=2), maximum_attempts=3),
        )
