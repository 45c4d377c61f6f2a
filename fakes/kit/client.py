"""Clients of the control plane, for tests and scripts: one that blocks (and works under gevent), one for asyncio."""

import ssl
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from types import TracebackType
from typing import Any, NotRequired, Self, TypedDict, cast

import httpx

from .wire import CONTROL, CONTROL_PORT_OFFSET

RuleData = Mapping[str, Any]


class LedgerCall(TypedDict):
    """One call of the ledger. Instants are Unix seconds, the duration seconds."""

    service: str
    operation: str
    key: str
    call: int
    attempt: int | None
    at: float
    caller_time: float
    rule: str | None
    fault: str | None
    status: int | None
    duration_s: float | None
    intended_s: float
    sent: dict[str, Any] | None
    answered: dict[str, Any] | None
    also: NotRequired[list[str]]
    also_faults: NotRequired[list[str]]
    """Further rules that acted, where several did."""
    idempotency_key: NotRequired[str]
    bug: NotRequired[str]
    """What the fake itself did wrong, where it did."""


class Unmet(TypedDict):
    """A rule that fired less often than it was expected to, and the calls that came nearest to it."""

    id: str
    hits: int
    expect: int
    near_misses: list[dict[str, Any]]


class Verdict(TypedDict):
    """Whether every rule of this service with `expect` fired: "passed" or "inconclusive"."""

    verdict: str
    unmet: list[Unmet]
    elsewhere: list[str]
    """The rules with `expect` that are for other services."""


@cache
def _certificates() -> ssl.SSLContext:
    """Return the system's certificates. To read them takes longer than most stories, and there is a control a fake."""
    return ssl.create_default_context()


class ControlError(Exception):
    """The control plane said no, or nobody is there. The message says what and where."""


class _Paths:
    """Where a fake's control plane is: beside the service, and on a second port that stays open when it refuses."""

    def __init__(self, url: str) -> None:
        self.main = httpx.URL(url)
        port = (self.main.port or 80) + CONTROL_PORT_OFFSET
        self.spare: httpx.URL | None = self.main.copy_with(port=port) if port < 65_536 else None

    def learn(self, answer: httpx.Response) -> None:
        """Take the second address from an answer of /__sim/health."""
        told = answer.json().get("control_url")
        # what a fake in a container calls loopback is not the caller's
        if told and self.main.host in ("127.0.0.1", "localhost", "::1"):
            self.spare = httpx.URL(told)

    def unreachable(self, error: Exception) -> ControlError:
        """Return the error for a control plane that does not answer."""
        return ControlError(f"no control plane at {self.main} nor {self.spare}: {error}. Is SIM_ENABLED on?")


def _check(answer: httpx.Response) -> Any:
    if answer.is_success:
        return answer.json() if answer.content else None
    try:
        detail = answer.json()["detail"]
    except (ValueError, KeyError, TypeError):
        detail = answer.text[:500]
    if isinstance(detail, list):
        detail = "; ".join(f"rule {item.get('rule')}: {item.get('field')}: {item.get('message')}" for item in detail)
    raise ControlError(f"{answer.request.method} {answer.request.url}: {answer.status_code}: {detail}")


def _many(rules: Sequence[RuleData]) -> list[dict[str, Any]]:
    return [dict(rule) for rule in rules]


def _chosen(key: str | None, operation: str | None, last: int | None) -> dict[str, str]:
    chosen = (("key", key), ("operation", operation), ("last", last))
    return {name: str(value) for name, value in chosen if value is not None}


class Control:
    """Steers one fake, given its base URL. Every method raises ControlError when the fake says no."""

    def __init__(self, url: str, timeout: float = 10) -> None:
        self._paths = _Paths(url)
        self._http = httpx.Client(timeout=timeout, trust_env=False, verify=_certificates())
        self._learned = False

    def add(self, *rules: RuleData) -> list[str]:
        """Add rules, or replace those of the same id. Return their ids."""
        return cast("list[str]", self._ask("POST", "/rules", json=_many(rules))["ids"])

    @contextmanager
    def rules_during(self, *rules: RuleData) -> Iterator[list[str]]:
        """Have rules for as long as the context lasts."""
        ids = self.add(*rules)
        try:
            yield ids
        finally:
            for rule_id in ids:
                self.remove(rule_id)

    def rules(self) -> list[dict[str, Any]]:
        """Return the rules with their hits."""
        return cast("list[dict[str, Any]]", self._ask("GET", "/rules")["rules"])

    def remove(self, rule_id: str | None = None) -> None:
        """Remove one rule, or all."""
        self._ask("DELETE", f"/rules/{rule_id}" if rule_id else "/rules")

    def ledger(
        self, key: str | None = None, operation: str | None = None, *, last: int | None = None
    ) -> list[LedgerCall]:
        """Return the calls, of one key or operation if given; the last ones alone, if so many are enough."""
        return cast("list[LedgerCall]", self._ask("GET", "/ledger", params=_chosen(key, operation, last))["calls"])

    def verdict(self) -> Verdict:
        """Return whether what was expected fired."""
        return cast("Verdict", self._ask("GET", "/verdict"))

    def near_misses(self, rule_id: str) -> list[dict[str, Any]]:
        """Return the calls that came nearest to a rule, and why it did not act on them."""
        return cast("list[dict[str, Any]]", self._ask("GET", f"/rules/{rule_id}/near-misses")["near_misses"])

    def reset(self) -> None:
        """Forget all, and begin again with the rules and the profile of the start."""
        self._ask("POST", "/reset")

    def profile(self) -> dict[str, Any]:
        """Return latencies and capacity."""
        return cast("dict[str, Any]", self._ask("GET", "/profile"))

    def set_profile(self, profile: str | Mapping[str, Any]) -> dict[str, Any]:
        """Take a named profile or one's own."""
        return cast("dict[str, Any]", self._ask("PUT", "/profile", json=profile))

    def health(self) -> dict[str, Any]:
        """Return the fake's state: rules, calls, busy slots, queue depth."""
        return cast("dict[str, Any]", self._ask("GET", "/health"))

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask(self, method: str, path: str, **words: Any) -> Any:
        try:
            if not self._learned:
                self._paths.learn(self._http.get(self._paths.main.join(f"{CONTROL}/health")))
                self._learned = True
            return _check(self._http.request(method, self._paths.main.join(f"{CONTROL}{path}"), **words))
        except httpx.TransportError as error:
            return self._ask_spare(error, method, path, **words)
        except ValueError as error:
            raise self._paths.unreachable(error) from error

    def _ask_spare(self, first: httpx.TransportError, method: str, path: str, **words: Any) -> Any:
        if self._paths.spare is None:
            raise self._paths.unreachable(first) from first
        try:
            return _check(self._http.request(method, self._paths.spare.join(f"{CONTROL}{path}"), **words))
        except httpx.TransportError:
            raise self._paths.unreachable(first) from first


class AsyncControl:
    """Control for asyncio, with the same methods."""

    def __init__(self, url: str, timeout: float = 10) -> None:
        self._paths = _Paths(url)
        self._http = httpx.AsyncClient(timeout=timeout, trust_env=False, verify=_certificates())
        self._learned = False

    async def add(self, *rules: RuleData) -> list[str]:
        """Add rules, or replace those of the same id. Return their ids."""
        return cast("list[str]", (await self._ask("POST", "/rules", json=_many(rules)))["ids"])

    @asynccontextmanager
    async def rules_during(self, *rules: RuleData) -> AsyncIterator[list[str]]:
        """Have rules for as long as the context lasts."""
        ids = await self.add(*rules)
        try:
            yield ids
        finally:
            for rule_id in ids:
                await self.remove(rule_id)

    async def rules(self) -> list[dict[str, Any]]:
        """Return the rules with their hits."""
        return cast("list[dict[str, Any]]", (await self._ask("GET", "/rules"))["rules"])

    async def remove(self, rule_id: str | None = None) -> None:
        """Remove one rule, or all."""
        await self._ask("DELETE", f"/rules/{rule_id}" if rule_id else "/rules")

    async def ledger(
        self, key: str | None = None, operation: str | None = None, *, last: int | None = None
    ) -> list[LedgerCall]:
        """Return the calls, of one key or operation if given; the last ones alone, if so many are enough."""
        return cast(
            "list[LedgerCall]", (await self._ask("GET", "/ledger", params=_chosen(key, operation, last)))["calls"]
        )

    async def verdict(self) -> Verdict:
        """Return whether what was expected fired."""
        return cast("Verdict", await self._ask("GET", "/verdict"))

    async def near_misses(self, rule_id: str) -> list[dict[str, Any]]:
        """Return the calls that came nearest to a rule, and why it did not act on them."""
        return cast("list[dict[str, Any]]", (await self._ask("GET", f"/rules/{rule_id}/near-misses"))["near_misses"])

    async def reset(self) -> None:
        """Forget all, and begin again with the rules and the profile of the start."""
        await self._ask("POST", "/reset")

    async def profile(self) -> dict[str, Any]:
        """Return latencies and capacity."""
        return cast("dict[str, Any]", await self._ask("GET", "/profile"))

    async def set_profile(self, profile: str | Mapping[str, Any]) -> dict[str, Any]:
        """Take a named profile or one's own."""
        return cast("dict[str, Any]", await self._ask("PUT", "/profile", json=profile))

    async def health(self) -> dict[str, Any]:
        """Return the fake's state: rules, calls, busy slots, queue depth."""
        return cast("dict[str, Any]", await self._ask("GET", "/health"))

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _ask(self, method: str, path: str, **words: Any) -> Any:
        try:
            if not self._learned:
                self._paths.learn(await self._http.get(self._paths.main.join(f"{CONTROL}/health")))
                self._learned = True
            return _check(await self._http.request(method, self._paths.main.join(f"{CONTROL}{path}"), **words))
        except httpx.TransportError as error:
            return await self._ask_spare(error, method, path, **words)
        except ValueError as error:
            raise self._paths.unreachable(error) from error

    async def _ask_spare(self, first: httpx.TransportError, method: str, path: str, **words: Any) -> Any:
        if self._paths.spare is None:
            raise self._paths.unreachable(first) from first
        try:
            return _check(await self._http.request(method, self._paths.spare.join(f"{CONTROL}{path}"), **words))
        except httpx.TransportError:
            raise self._paths.unreachable(first) from first
