"""The connection to Temporal, by its SDK's own environment configuration (TEMPORAL_ADDRESS, TEMPORAL_API_KEY, ...)."""

import os
from collections.abc import Sequence

from temporalio.client import Client, Interceptor
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.envconfig import ClientConfig
from temporalio.runtime import Runtime

LOCAL_SERVER = "127.0.0.1:7233"
"""Where a developer's own server listens; it is asked when nothing names another."""


async def connect(
    *, lazy: bool = False, interceptors: Sequence[Interceptor] = (), runtime: Runtime | None = None
) -> Client:
    """Return a client; with `lazy` it connects at its first call, so that a process starts while Temporal is down."""
    # A variable set to nothing means nothing, as in compose files; the SDK would take it for a key and use TLS.
    said = {name: value for name, value in os.environ.items() if value}
    config = ClientConfig.load_client_connect_config(override_env_vars=said)
    config.setdefault("target_host", LOCAL_SERVER)
    return await Client.connect(
        **config,
        data_converter=pydantic_data_converter,
        interceptors=list(interceptors),
        lazy=lazy,
        runtime=runtime,
    )
