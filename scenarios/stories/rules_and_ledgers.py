"""The fakes' side of a run: its rules go in, and what their ledgers hold of it comes out."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from fakes.kit.client import AsyncControl, ControlError
from scenarios.stories.run import Run, SeenCall


class RulesAndLedgers:
    """Those of the fakes at a place, by service; none where the services are real."""

    def __init__(self, controls: Mapping[str, AsyncControl]) -> None:
        self._controls = controls
        self._read: dict[str, tuple[str, int]] = {}

    async def put_rules(self, run: Run) -> None:
        """Give the fakes the rules of a run, for its workflow alone."""
        by_service: dict[str, list[dict[str, Any]]] = {}
        for place, rule in enumerate(run.scenario.rules):
            rule_id = f"{run.workflow_id}.{place}"
            run.rules[rule_id] = rule
            by_service.setdefault(rule.service, []).append(rule.as_rule(rule_id, run.workflow_id))
        await asyncio.gather(*(self._controls[name].add(*rules) for name, rules in by_service.items()))

    async def remove_rules(self, run: Run) -> None:
        """Take them back."""
        for rule_id, rule in run.rules.items():
            with suppress(ControlError):  # it was refused, or its fake is gone: the run says so already
                await self._controls[rule.service].remove(rule_id)

    async def calls(self, run: Run) -> list[SeenCall]:
        """Return the calls that the services got for a run, in their order."""
        ledgers = await asyncio.gather(*(self._ledger(run, service) for service in self._controls))
        calls = sorted((call for ledger in ledgers for call in ledger), key=lambda call: call.at)
        self._read[run.workflow_id] = (run.key, len(calls))
        return calls

    async def late_calls(self) -> dict[str, str]:
        """Return a problem for each workflow that a service was called for after its ledger was read.

        Those beside a scenario are looked at too.
        """
        ledgers = await asyncio.gather(*(control.ledger() for control in self._controls.values()))
        counts = Counter(entry["key"] for ledger in ledgers for entry in ledger)
        return {
            workflow_id: f"no call after the end: {counts[workflow_id] - calls} came later for {key}"
            for workflow_id, (key, calls) in self._read.items()
            if counts[workflow_id] > calls
        }

    async def _ledger(self, run: Run, service: str) -> list[SeenCall]:
        return [
            SeenCall(
                service=service,
                operation=entry["operation"],
                number=entry["call"],
                attempt=entry["attempt"],
                at=run.timeline.since_began(entry["caller_time"]),
                rule=entry["rule"],
                fault=entry["fault"],
                status=entry["status"],
                duration_s=entry["duration_s"],
                sent=entry["sent"],
                answered=entry["answered"],
                idempotency_key=entry.get("idempotency_key"),
                also=tuple(entry.get("also", ())),
                also_faults=tuple(entry.get("also_faults", ())),
            )
            for entry in await self._controls[service].ledger(run.workflow_id)
        ]
