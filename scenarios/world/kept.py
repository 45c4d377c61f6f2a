"""What the blob store keeps, read as somebody does who has its key."""

from typing import Any

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob.aio import ContainerClient

from app.services.blob import API_VERSION
from app.settings import Settings


class Kept:
    """The container of a world's try-ons.

    Args:
        settings: of the gateway.
    """

    def __init__(self, settings: Settings) -> None:
        key = settings.azure_account_key
        assert key, "the emulator's store has a key"
        self._container = ContainerClient(
            settings.azure_blob_endpoint,
            settings.azure_container,
            credential={"account_name": settings.azure_account_name, "account_key": key.get_secret_value()},
            api_version=API_VERSION,
        )

    async def read(self, name: str) -> bytes | None:
        """Return the bytes of a blob, None where there is none."""
        try:
            stream: Any = await self._container.download_blob(name)
            return bytes(await stream.readall())
        except ResourceNotFoundError:
            return None

    async def close(self) -> None:
        """Close the connections."""
        await self._container.close()
