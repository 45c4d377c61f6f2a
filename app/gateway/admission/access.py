"""Who gets in: named API keys, and a limit of starts for each caller. Both are off unless the environment says so."""

import hashlib
import hmac
import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import lru_cache

import structlog
from fastapi import Request
from fastapi.security import APIKeyHeader, HTTPBearer
from fastapi.security.utils import get_authorization_scheme_param
from pydantic import SecretStr

from app.errors.request import TooManyStartsError, UnauthorizedError
from app.settings import Settings

MOST_CALLERS = 10_000
"""So many callers are remembered; the one that was quiet for longest is forgotten, and begins again with all starts."""

_MINUTE = 60.0

log = structlog.get_logger(__name__)

SCHEMES = (
    HTTPBearer(auto_error=False, description="One of the deployment's API keys, where it has any."),
    APIKeyHeader(name="X-API-Key", auto_error=False, description="The same key, for clients that say it so."),
)
"""The two ways to say a key, for the API's description. Solving them as FastAPI's dependencies costs each request."""


class Access:
    """Knows the keys, and how many starts each caller has left."""

    def __init__(self, settings: Settings, now: Callable[[], float] = time.monotonic) -> None:
        """Take keys and limit from the settings, and the clock that the limit goes by."""
        self._keys = {name: _digest(key) for name, key in settings.api_keys}
        limit = settings.start_limit_per_minute
        self._starts = StartLimit(limit, now) if limit else None

    def say_what_is_off(self) -> None:
        """Log what is not guarded, once, when the gateway starts."""
        if not self._keys:
            log.warning("API keys are off: whoever reaches the gateway may use it", variable="API_KEYS")
        if self._starts is None:
            log.warning("the number of starts is not limited", variable="START_LIMIT_PER_MINUTE")

    @property
    def by_key(self) -> bool:
        """Whether callers are known by their keys."""
        return bool(self._keys)

    def caller(self, given: Sequence[str | None], address: str) -> str:
        """Return who calls: the name of the first key that is one, or without keys the network address.

        Raises:
            UnauthorizedError: there are keys, and none of these is one.
        """
        if not self._keys:
            return _network(address)
        name = None
        for seen in (_digest(SecretStr(one or "")) for one in given):
            for known, key in self._keys.items():
                # Each key takes the same time, and all of them are looked at.
                if hmac.compare_digest(seen, key) and name is None:
                    name = known
        if name is None:
            raise UnauthorizedError("An API key is needed: send it as `Authorization: Bearer KEY` or `X-API-Key: KEY`")
        return name

    def count_start(self, caller: str) -> None:
        """Take one start from what a caller has left.

        Raises:
            TooManyStartsError: there is none; `retry_after` says when there will be.
        """
        wait = self._starts.take(caller) if self._starts else 0.0
        if wait:
            raise TooManyStartsError("Too many starts in the last minute; try again in a moment", retry_after=wait)


class StartLimit:
    """A bucket for each caller that holds a minute's starts and fills up evenly. Its memory is bounded."""

    def __init__(self, per_minute: int, now: Callable[[], float]) -> None:
        """Allow so many starts a minute by this clock."""
        self._per_minute = per_minute
        self._now = now
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, caller: str) -> float:
        """Take one start; return 0, or the seconds until there is one."""
        now = self._now()
        left, seen = self._buckets.pop(caller, (float(self._per_minute), now))
        left = min(self._per_minute, left + (now - seen) * self._per_minute / _MINUTE)
        wait = 0.0 if left >= 1 else (1 - left) * _MINUTE / self._per_minute
        self._buckets[caller] = (left if wait else left - 1, now)
        if len(self._buckets) > MOST_CALLERS:
            self._buckets.popitem(last=False)
        return math.ceil(wait)


def access_of(request: Request) -> Access:
    """Return the access rules of the application that serves this request."""
    access = request.app.state.access
    assert isinstance(access, Access)
    return access


async def who_calls(request: Request) -> None:  # async: FastAPI sends plain ones to a thread
    """Let a caller in; `caller_of` has its name from then on.

    Raises:
        UnauthorizedError: there are keys, and this is none of them.
    """
    scheme, bearer = get_authorization_scheme_param(request.headers.get("Authorization"))
    # Both: what stands in `Authorization` may be meant for a proxy in front.
    given = (bearer if scheme.lower() == "bearer" else None, request.headers.get("X-API-Key"))
    caller = access_of(request).caller(given, request.client.host if request.client else "")
    structlog.contextvars.bind_contextvars(caller=caller)
    request.state.caller = caller


def caller_of(request: Request) -> str:
    """Return the name of the caller that was let in."""
    caller = request.state.caller
    assert isinstance(caller, str)
    return caller


def caller_name(request: Request) -> str | None:
    """Return the name of the caller's API key; None where there are no keys, and a caller is but an address."""
    return caller_of(request) if access_of(request).by_key else None


async def may_start(request: Request) -> None:
    """Count a start, before any of its body is read.

    Raises:
        TooManyStartsError: the caller has none left.
    """
    access_of(request).count_start(caller_of(request))


def _digest(key: SecretStr) -> bytes:
    """Return the key's digest: keys of any length then compare in the same time."""
    return hashlib.sha256(key.get_secret_value().encode()).digest()


@lru_cache(maxsize=1024)
def _network(address: str) -> str:
    """Return whom an address stands for: itself, or its /64 of IPv6, of which one customer has all."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address or "unknown"
    if found.version == 4:
        return str(found)
    return str(found.ipv4_mapped or ipaddress.ip_network((found, 64), strict=False))
