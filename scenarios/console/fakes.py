"""The fakes as the console shows and steers them, through their control planes."""

import asyncio
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from fakes.kit.client import AsyncControl, ControlError, LedgerCall
from fakes.kit.rules import read_yaml
from fakes.presets import PRESETS, path_of
from fakes.registry import SERVICES
from scenarios.console.switches import SWITCHES, Switch

TIMEOUT_S = 3.0
RECENT = 200
"""How many of the last calls are looked through for faults that fired."""
SHOWN = 12


class UnknownError(Exception):
    """There is no such thing; the message says what there is."""


class Fakes:
    """The control planes of the stack's fakes, as an async context."""

    def __init__(self, controls: Mapping[str, str]) -> None:
        self._controls = {name: AsyncControl(url, timeout=TIMEOUT_S) for name, url in controls.items()}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.gather(*(control.close() for control in self._controls.values()))

    @property
    def controls(self) -> Mapping[str, AsyncControl]:
        """The control planes by the fakes' names."""
        return self._controls

    async def states(self) -> list[dict[str, Any]]:
        """Return each service's state: its health, its rules with their hits, and the last faults that fired."""
        return await asyncio.gather(*(self._state(name) for name in SERVICES))

    async def switch(self, name: str, workflow_id: str | None, *, on: bool) -> None:
        """Switch a fault on or off, for one workflow or for all.

        Raises:
            UnknownError: there is no such switch, or its service is not one of the fakes here.
            ControlError: the fake said no, or does not answer.
        """
        switch = _find(name)
        control = self._controls.get(switch.service)
        if control is None:
            raise UnknownError(f"{SERVICES[switch.service].title} is not a fake here: it cannot be broken on purpose")
        if on:
            await control.add(switch.as_rule(workflow_id))
        elif any(rule["id"] == switch.rule_id(workflow_id) for rule in await control.rules()):
            await control.remove(switch.rule_id(workflow_id))

    async def all_off(self) -> None:
        """Remove every rule of every fake, whoever made it."""
        await asyncio.gather(*(control.remove() for control in self._controls.values()))

    async def preset(self, name: str) -> None:
        """Have the fakes take a set of rules by name, each those that are for it.

        Raises:
            UnknownError: there is no such set, or it is for services of which none is a fake here.
            ControlError: a fake said no, or does not answer.
        """
        if name not in PRESETS:
            raise UnknownError(f"there is no preset {name!r}; there are {', '.join(PRESETS)}")
        rules = read_yaml(str(path_of(name)))
        own = {service: [rule for rule in rules if rule["service"] == service] for service in self._controls}
        if not any(own.values()):
            raise UnknownError(f"{name} is for services that are no fakes here: `make up FAULTS={name}` starts them")
        await asyncio.gather(*(self._controls[service].add(*chosen) for service, chosen in own.items() if chosen))

    async def set_profile(self, profile: str) -> None:
        """Have all fakes take a named profile.

        Raises:
            ControlError: there is no such profile, or a fake does not answer.
        """
        await asyncio.gather(*(control.set_profile(profile) for control in self._controls.values()))

    async def calls(self, workflow_id: str) -> list[LedgerCall]:
        """Return the calls of one workflow, of all services, in order. A fake that does not answer has none."""

        async def of(control: AsyncControl) -> list[LedgerCall]:
            try:
                return await control.ledger(workflow_id)
            except ControlError:
                return []

        found = await asyncio.gather(*(of(control) for control in self._controls.values()))
        return sorted((call for calls in found for call in calls), key=lambda call: call["at"])

    async def _state(self, name: str) -> dict[str, Any]:
        state: dict[str, Any] = {
            "service": name,
            "label": SERVICES[name].title,
            "fake": name in self._controls,
            "up": False,
        }
        control = self._controls.get(name)
        if control is None:
            return state
        try:
            health, rules = await asyncio.gather(control.health(), control.rules())
            recent = await control.ledger(last=RECENT)
        except ControlError as error:
            return state | {"problem": str(error)}
        fired = [call for call in recent if call["fault"]]
        return state | {"up": True, "health": health, "rules": rules, "fired": fired[-SHOWN:][::-1]}


def _find(name: str) -> Switch:
    for switch in SWITCHES:
        if switch.name == name:
            return switch
    raise UnknownError(f"there is no switch {name!r}; there are {', '.join(switch.name for switch in SWITCHES)}")
