"""The proxy that the environment names for an address: one rule for the services, the blob store and Temporal.

HTTPS_PROXY counts for https and for Temporal with TLS, HTTP_PROXY for http and for Temporal without, ALL_PROXY where
they say nothing; in small letters too. NO_PROXY lists hosts that are asked directly, and what runs on this machine
always is.
"""

from ipaddress import ip_address
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass


class ProxyError(ValueError):
    """The proxy that the environment names for an address is of no use; the message says why, and no password."""


def proxy_for(address: str) -> str | None:
    """Return the proxy for an address such as `https://host:443`, as `http://user:password@host:port`, or None.

    Raises:
        ProxyError: it is no http or https proxy with a host.
    """
    wanted = urlsplit(address)
    host = wanted.hostname or ""
    if _is_here(host) or proxy_bypass(host):
        return None
    proxies = getproxies()
    proxy = proxies.get(wanted.scheme) or proxies.get("all")
    if not proxy:
        return None
    if "://" not in proxy:
        proxy = f"http://{proxy}"
    try:
        parts = urlsplit(proxy)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets without an end, or no port that there could be
        usable = False
    if not usable:
        variables = f"{wanted.scheme.upper()}_PROXY or ALL_PROXY"
        raise ProxyError(f"{variables} must be the address of an HTTP proxy such as http://proxy.example:3128")
    return proxy


def host_and_login(proxy: str) -> tuple[str, tuple[str, str] | None]:
    """Return a proxy's `host:port`, and the user and password that its address holds, if any."""
    parts = urlsplit(proxy)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    login = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
    return f"{host}:{port}", login


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
