"""The OpenAPI documents of the services, out of the fakes' models: `python -m fakes.tools.openapi PLACE`."""

import json
import sys
from pathlib import Path
from typing import Any, cast

from fastapi import FastAPI

from fakes.registry import SERVICES
from fakes.settings import ServiceSettings

DESCRIPTION = (
    "What the pipeline asks of this service, and what it answers. Generated from the fake; `make contract` checks any "
    "implementation against it. Pictures are named by azure://container/blob, in the blob store that all share."
)


def document(service: str) -> dict[str, Any]:
    """Return the OpenAPI document of one service, without what only a fake has."""
    app = cast("FastAPI", SERVICES[service].create_app(ServiceSettings()).app)
    described = app.openapi()
    described["info"] = {"title": SERVICES[service].title, "description": DESCRIPTION, "version": "1"}
    return described


def text(service: str) -> str:
    """Return the document as it is kept in docs/openapi."""
    return json.dumps(document(service), indent=2) + "\n"


def main(folder: Path) -> None:
    """Write each document into the folder."""
    for service in SERVICES:
        (folder / f"{service}.json").write_text(text(service))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
