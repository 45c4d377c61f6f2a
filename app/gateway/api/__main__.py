"""Print the gateway's OpenAPI document: `python -m app.gateway.api`. It needs no server and no settings."""

import asyncio
import json
import sys
from typing import Any

from temporalio.client import Client

from app.gateway import open_gateway
from app.settings import Settings

_NOWHERE = "http://127.0.0.1:9"


async def document() -> dict[str, Any]:
    """Return the document of a gateway that calls nobody."""
    settings = Settings.model_validate(
        {
            "azure_account_name": "nobody",
            "azure_account_key": "none",
            "azure_blob_endpoint": _NOWHERE,
            "image_manipulator_url": _NOWHERE,
            "birefnet_url": _NOWHERE,
            "sam3_url": _NOWHERE,
            "a100_urls": _NOWHERE,
        }
    )
    async with open_gateway(settings, await Client.connect("127.0.0.1:9", lazy=True)) as app:
        return app.openapi()


if __name__ == "__main__":
    json.dump(asyncio.run(document()), sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")
