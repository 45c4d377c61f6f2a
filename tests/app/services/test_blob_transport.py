"""The blob client's HTTP reads the certificates once, however many calls there are, and is closed for good.

Its own limits act: on a connection that does not come about, and on an answer that goes silent.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import pytest
from azure.core.exceptions import ServiceRequestTimeoutError, ServiceResponseTimeoutError
from azure.core.pipeline.transport import HttpRequest

from app.errors.services import AzureTimeoutError
from app.services import blob_transport
from app.services.blob import BlobStore
from app.services.blob_transport import BlobTransport
from app.settings import Settings
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


@contextmanager
def nobody_accepts() -> Iterator[int]:
    """A port at which connecting hangs, as behind a firewall: as many wait to be accepted as may."""
    with ExitStack() as sockets:
        port = sockets.enter_context(socket.socket())
        port.bind((HOST, 0))
        port.listen(0)
        for _ in range(10):
            waiting = sockets.enter_context(socket.socket())
            waiting.settimeout(0.3)
            try:
                waiting.connect(port.getsockname())
            except TimeoutError:
                yield port.getsockname()[1]
                return
        pytest.fail("everybody was let in")


async def test_a_store_to_which_no_connection_comes_about_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blob_transport, "CONNECT_TIMEOUT", 0.2)
    with nobody_accepts() as port:
        async with store_at(port) as store:
            with pytest.raises(AzureTimeoutError) as given_up:
                await store.info("w-1.jpg")
    assert isinstance(given_up.value.__cause__, ServiceRequestTimeoutError)


async def test_a_store_that_goes_silent_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blob_transport, "READ_TIMEOUT", 0.2)
    taken = asyncio.Event()

    async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await taken.wait()
        writer.close()

    async with (
        await asyncio.start_server(silent, HOST, 0) as server,
        store_at(server.sockets[0].getsockname()[1]) as store,
    ):
        with pytest.raises(AzureTimeoutError) as given_up:
            await store.info("w-1.jpg")
        taken.set()
    assert isinstance(given_up.value.__cause__, ServiceResponseTimeoutError)


@asynccontextmanager
async def store_at(port: int) -> AsyncIterator[BlobStore]:
    names = ("image_manipulator_url", "birefnet_url", "sam3_url", "a100_urls")
    account = {"azure_account_name": "jewelrytryon", "azure_account_key": "a2V5"}
    parts = dict.fromkeys(names, "http://unused") | account
    store = BlobStore(Settings.model_validate(parts | {"azure_blob_endpoint": f"http://{HOST}:{port}/jewelrytryon"}))
    try:
        yield store
    finally:
        await store.close()
