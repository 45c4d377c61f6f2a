"""Who may steer: programs, and pages of the same address. A page from elsewhere, open in a browser here, may not."""

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit


def stranger(headers: Mapping[str, str], scheme: str, *, any_host: bool = False) -> str | None:
    """Return why a request is not obeyed, None when it is.

    A page of another address gives itself away by its Origin; one whose name was made to point here (DNS rebinding) by
    its Host, unless `any_host`: then others than this machine may call by a name.
    """
    host = headers.get("host", "")
    if host and not any_host and not _is_here(host):
        return f"the Host {host!r} is no name of this machine's loopback: call it by localhost or 127.0.0.1"
    origin = headers.get("origin")
    if origin is not None and origin != f"{scheme}://{host}":
        return f"a page of {origin} may not steer this"
    return None


def _is_here(host: str) -> bool:
    """Return whether nobody's DNS decides where this name leads."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        if name == "localhost" or name.endswith(".localhost"):
            return True
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
