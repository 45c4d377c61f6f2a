"""The blob client's HTTP reads the certificates once, however many calls there are, and is closed for good."""

import ssl
from pathlib import Path

import pytest
from azure.core.pipeline.transport import HttpRequest

from app.services.blob_transport import BlobTransport
from scenarios.processes.ports import HOST
from tests.app.security.test_identity import answering, certificate


async def test_the_environments_certificates_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(file)
    async with answering(b"", 200, tls) as (port, heads), BlobTransport() as transport:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "nothing.pem"))  # whoever reads them anew fails
        for _ in range(3):
            assert (await transport.send(HttpRequest("GET", f"https://{HOST}:{port}/"))).status_code == 200
    assert len(heads) == 3


async def test_a_transport_that_was_closed_stays_closed() -> None:
    transport = BlobTransport()
    async with transport:
        pass
    with pytest.raises(ValueError, match="closed"):
        await transport.send(HttpRequest("GET", f"http://{HOST}:9/"))
