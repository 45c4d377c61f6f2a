"""Every environment variable that the fakes of the services read, beside those of the kit."""

from pydantic import Field

from fakes.kit.settings import FakeSettings


class ServiceSettings(FakeSettings):
    """How the fake of one service runs; the AZURE_* names are those of the specification."""

    azure_account_name: str = Field(default="jewelrytryon", description="The account of the blob store")
    azure_account_key: str = Field(default="", description="Its key, in base64")
    azure_container: str = Field(default="jewelry-uploads", description="Where the pictures are")
    azure_blob_endpoint: str = Field(
        default="",
        description="The store itself, as http://127.0.0.1:10000/jewelrytryon: never the proxy in front of it",
    )
    fakes_remember: int = Field(
        default=0, ge=0, description="Drawings that are kept, so that the same picture is not drawn twice"
    )
    a100_gemini: bool = Field(default=True, description="Off: the A100's Gemini half is null")
