"""What a person does about a finding: by its cause where that is known, else by the kind of its error."""

import socket
import ssl
from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import urlsplit

from app.errors import PipelineError
from app.process.proxy import proxy_for
from app.services.excerpt import excerpt, root_cause

VARIABLES: Mapping[str, str] = {
    "image manipulator": "IMAGE_MANIPULATOR_URL",
    "BiRefNet": "BIREFNET_URL",
    "SAM3": "SAM3_URL",
    "A100": "A100_URLS",
}
"""Where the address of each service stands."""


def told(error: PipelineError, url: str) -> str:
    """Return what went wrong, with what was said of it, which no client is told."""
    said = error.said
    cause = root_cause(error)
    if isinstance(cause, socket.gaierror):
        asked = urlsplit(proxy_for(url) or url).hostname
        said = f"the name {asked} is not found: {excerpt(cause.strerror or str(cause))}"
    return f"{error.code}: {error.message}" + (f" ({said})" if said else "")


def advice(error: PipelineError, part: str) -> str:
    """Return what to do about it."""
    variable = VARIABLES[part]
    cause = root_cause(error)
    if isinstance(cause, socket.gaierror):
        return f"Look for a slip in the name in {variable}, or of its proxy; else ask this machine's resolver for it."
    if isinstance(cause, ssl.SSLError):
        return f"Look at the certificate of the address in {variable}; of a proxy that opens TLS, trust the authority."
    if error.no_such_app:
        return f"The app was stopped, or moved: start it at its host, or put its address into {variable}."
    if error.status == HTTPStatus.TOO_MANY_REQUESTS:
        return "It is up, and turns calls away: what it says tells whether for load, a quota or a spending limit."
    if error.status is not None and error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return "It is up, or a proxy before it is: look at its logs."
    return error.advice
