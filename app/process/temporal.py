"""The connection to Temporal, by its SDK's own environment configuration (TEMPORAL_ADDRESS, TEMPORAL_API_KEY, ...)."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from temporalio.client import Client, Interceptor
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.envconfig import ClientConfig, ClientConnectConfig
from temporalio.runtime import Runtime
from temporalio.service import HttpConnectProxyConfig, TLSConfig

from app.process.proxy import ProxyError, host_and_login, proxy_for

LOCAL_SERVER = "127.0.0.1:7233"
"""Where a developer's own server listens; it is asked when nothing names another."""


API_KEY_FILE = "TEMPORAL_API_KEY_FILE"
"""Ours: names a file that holds the API key, in place of TEMPORAL_API_KEY."""


class TemporalConfigurationError(Exception):
    """Temporal's configuration is of no use; the message says why."""


def configuration(environment: Mapping[str, str] | None = None) -> ClientConnectConfig:
    """Return what the environment (or another one) and Temporal's own file of configuration say of the connection.

    Raises:
        TemporalConfigurationError: no connection can be made of it.
    """
    # A variable set to nothing means nothing, as in compose files; the SDK would take it for a key and use TLS.
    said = {name: value for name, value in (os.environ if environment is None else environment).items() if value}
    try:
        if file := said.pop(API_KEY_FILE, None):
            said["TEMPORAL_API_KEY"] = Path(file).read_text().strip()
        config = ClientConfig.load_client_connect_config(override_env_vars=said)
    except (OSError, RuntimeError, ValueError) as error:  # a file that is not there or no TOML, an unknown profile
        raise TemporalConfigurationError(str(error)) from error
    config.setdefault("target_host", LOCAL_SERVER)
    config.setdefault("namespace", "default")
    _check(config)
    return config


async def connect(
    *, lazy: bool = False, interceptors: Sequence[Interceptor] = (), runtime: Runtime | None = None
) -> Client:
    """Return a client; with `lazy` it connects at its first call, so that a process starts while Temporal is down.

    Raises:
        TemporalConfigurationError: no connection can be made of what the environment says.
        RuntimeError: without `lazy`: Temporal cannot be reached.
    """
    return await Client.connect(
        **(config := configuration()),
        http_connect_proxy_config=_proxy(config),
        data_converter=pydantic_data_converter,
        interceptors=list(interceptors),
        lazy=lazy,
        runtime=runtime,
    )


def _proxy(config: ClientConnectConfig) -> HttpConnectProxyConfig | None:
    """Return the proxy that the environment names for the server, which is asked to CONNECT to it."""
    tls = config.get("tls")
    encrypted = bool(config.get("api_key")) if tls is None else bool(tls)  # a key alone switches TLS on, in the SDK
    proxy = proxy_for(f"{'https' if encrypted else 'http'}://{config['target_host']}")
    if proxy is None:
        return None
    host, login = host_and_login(proxy)
    return HttpConnectProxyConfig(target_host=host, basic_auth=login)


def _check(config: ClientConnectConfig) -> None:
    """Find what the SDK would only find when it connects, which a gateway does at its first request."""
    try:
        address = urlsplit(f"//{config['target_host']}")
        complete = bool(address.hostname and address.port) and not address.path
    except ValueError:
        complete = False
    if not complete:
        raise TemporalConfigurationError(f"TEMPORAL_ADDRESS must be HOST:PORT such as {LOCAL_SERVER}")
    try:
        _proxy(config)
    except ProxyError as error:
        raise TemporalConfigurationError(str(error)) from error
    tls = config.get("tls")
    if isinstance(tls, TLSConfig) and bool(tls.client_cert) != bool(tls.client_private_key):
        raise TemporalConfigurationError("of the client's certificate and key for TLS, one is there without the other")
