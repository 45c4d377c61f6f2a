"""Makes the blob container of the local store: `python -m fakes.storage.container`. One that is there stays."""

import sys

from azure.core.exceptions import AzureError, ResourceExistsError
from azure.storage.blob import BlobServiceClient

from fakes.settings import ServiceSettings
from fakes.storage.store import API_VERSION


def make_container(settings: ServiceSettings) -> bool:
    """Make the container that the AZURE_* variables name. Returns False when it was there.

    Raises:
        AzureError: the store does not answer, or refuses.
    """
    credential = {"account_name": settings.azure_account_name, "account_key": settings.azure_account_key}
    with BlobServiceClient(
        settings.azure_blob_endpoint,
        credential=credential,
        api_version=API_VERSION,
        retry_total=3,
        use_env_settings=False,
    ) as store:
        try:
            store.create_container(settings.azure_container)
        except ResourceExistsError:
            return False
    return True


def main() -> int:
    """Make the container of the environment. Exit code 1 when the store does not answer or refuses."""
    settings = ServiceSettings()
    try:
        made = make_container(settings)
    except (AzureError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        print(f"container {settings.azure_container}: {reason}", file=sys.stderr)  # noqa: T201 - a command's own voice
        return 1
    print(f"container {settings.azure_container}: {'made' if made else 'was there'}")  # noqa: T201 - a command's own voice
    return 0


if __name__ == "__main__":
    sys.exit(main())
