"""The environment of a process, read once, before anything looks at it: its own variables, then those of `.env`."""

from pathlib import Path

from dotenv import load_dotenv
from pydantic import ValidationError

from app.process.proxy import ProxyError, proxy_for
from app.process.temporal import TemporalConfigurationError, configuration
from app.settings import Settings, explain

DOTENV = Path(".env")
"""In the current folder."""


class BadEnvironmentError(Exception):
    """The environment is of no use. The message says which variables are why, and never a value: some are secrets."""


def read_environment() -> Settings:
    """Put what only `.env` says into the environment, and return the settings.

    Temporal's SDK and OpenTelemetry read the environment alone: in this way their variables in `.env` count as ours do.

    Raises:
        BadEnvironmentError: a variable is missing or wrong, one of Temporal's too, or `.env` is no text.
    """
    try:
        load_dotenv(DOTENV)
    except (OSError, ValueError) as error:
        raise BadEnvironmentError(f"{DOTENV.absolute()} cannot be read: {error}") from error
    try:
        settings = Settings()
        configuration()
        for address in (settings.azure_blob_endpoint, *settings.service_urls):
            proxy_for(address)
    except ValidationError as error:
        raise BadEnvironmentError(explain(error)) from error
    except ProxyError as error:
        raise BadEnvironmentError(f"The environment's proxy is of no use: {error}") from error
    except TemporalConfigurationError as error:
        raise BadEnvironmentError(f"Temporal's configuration is of no use: {error}") from error
    return settings
