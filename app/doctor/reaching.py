"""Who answers at an address, by one request that costs nothing: a fake, or not."""

import asyncio
import json

import httpx

LIMIT = 10.0
"""Seconds for each check that costs nothing."""

MAX_ABOUT_BYTES = 64 * 1024


class Unreachable(Exception):  # noqa: N818 - the word for it
    """Nobody answers at an address; the message says how that showed."""


async def service_kind(http: httpx.AsyncClient, url: str) -> str:
    """Say `fake` or `real`: a fake says of itself on GET / that it is one.

    Raises:
        Unreachable: no answer.
    """
    try:
        return "fake" if json.loads((await _get(http, url)).content)["fake"] is True else "real"
    except (ValueError, KeyError, TypeError, IndexError, RecursionError):
        return "real"


async def store_kind(http: httpx.AsyncClient, url: str) -> str:
    """Say `fake` of the blob emulator, which names itself in a header, and `real` of anything else.

    Raises:
        Unreachable: no answer.
    """
    return "fake" if "azurite" in (await _get(http, url)).headers.get("Server", "").lower() else "real"


async def _get(http: httpx.AsyncClient, url: str) -> httpx.Response:
    try:
        async with asyncio.timeout(LIMIT), http.stream("GET", f"{url}/") as response:
            content = b""
            async for chunk in response.aiter_bytes():
                content += chunk
                if len(content) > MAX_ABOUT_BYTES:
                    break
            return httpx.Response(response.status_code, headers=response.headers, content=content)
    except TimeoutError:
        raise Unreachable(f"no answer within {LIMIT:g} s") from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Unreachable(f"cannot be reached: {error or type(error).__name__}") from error
