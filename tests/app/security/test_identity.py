"""The store is opened by a SAS, and by an identity whose token comes from the machine's own service for it."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from azure.storage.blob import ContainerSasPermissions, generate_container_sas
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app.errors.services import AzureNotFoundError, AzureRejectedError, AzureUnavailableError
from app.services.blob import BlobStore
from app.settings import Settings
from scenarios.processes.ports import HOST, reserve_port
from scenarios.stack.programs import ACCOUNT, ACCOUNT_KEY, Options
from scenarios.stack.stack import Stack

SERVICES = dict.fromkeys(("image_manipulator_url", "birefnet_url", "sam3_url", "a100_urls"), "http://127.0.0.1:9")
TOKEN = "a-token-of-the-identity"


async def test_a_sas_of_the_container_is_enough(tmp_path: Path) -> None:
    async with Stack(home=tmp_path, options=Options(parts=frozenset({"azurite"}))) as stack:
        told = {name.lower(): value for name, value in stack.environment.items()} | {"azure_account_key": ""}
        sas = generate_container_sas(
            ACCOUNT,
            told["azure_container"],
            account_key=ACCOUNT_KEY,
            permission=ContainerSasPermissions(read=True, create=True, write=True),
            expiry=datetime.now(UTC) + timedelta(minutes=10),
        )
        with pytest.MonkeyPatch.context() as environment:
            for name, value in (told | {"azure_sas_token": f"?{sas}"}).items():
                environment.setenv(name.upper(), value)
            store = BlobStore(Settings())
            environment.setenv("AZURE_SAS_TOKEN", sas.replace("sig=", "sig=AAAA"))
            stranger = BlobStore(Settings())
        try:
            assert await store.put("w-1.jpg", b"one", "image/jpeg")
            assert await store.get("w-1.jpg", max_bytes=10) == b"one"
            with pytest.raises(AzureRejectedError, match="403"):
                await stranger.get("w-1.jpg", max_bytes=10)
        finally:
            await store.close()
            await stranger.close()


def certificate(folder: Path) -> Path:
    """Make a certificate for this machine, signed by itself; the file holds its key too."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    file = folder / "certificate.pem"
    file.write_bytes(
        made.public_bytes(pem) + key.private_bytes(pem, serialization.PrivateFormat.TraditionalOpenSSL, plain)
    )
    return file


Answering = AsyncIterator[tuple[int, list[str]]]


@asynccontextmanager
async def answering(body: bytes, status: int, tls: ssl.SSLContext | None = None) -> Answering:
    """A server that answers everything so, and keeps what it was asked."""
    heads: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        head = f"HTTP/1.1 {status} x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        writer.write(head.encode() + b"Connection: close\r\n\r\n" + body)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, HOST, 0, ssl=tls) as server:
        yield server.sockets[0].getsockname()[1], heads


async def read_by_identity(endpoint: str) -> None:
    told = SERVICES | {"azure_account_name": "account", "azure_identity": True, "azure_blob_endpoint": endpoint}
    store = BlobStore(Settings.model_validate(told))
    try:
        await store.get("w-1.jpg", max_bytes=10)
    finally:
        await store.close()


async def test_an_identity_of_the_machine_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))  # the authority that clients believe
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(file)
    until = int((datetime.now(UTC) + timedelta(hours=1)).timestamp())
    token = {"access_token": TOKEN, "expires_on": str(until), "resource": "x", "token_type": "Bearer"}
    given = json.dumps(token).encode()
    async with (
        answering(given, 200) as (machine, asked),
        answering(b"", 404, tls) as (store, heads),
    ):
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://{HOST}:{machine}/token")
        monkeypatch.setenv("IDENTITY_HEADER", "a header")
        with pytest.raises(AzureNotFoundError):
            await read_by_identity(f"https://{HOST}:{store}/account")
    assert "resource=https://storage.azure.com" in asked[0]
    assert f"Authorization: Bearer {TOKEN}" in heads[0]


async def test_without_a_token_nothing_is_sent_and_the_reason_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async with answering(b'{"error": "no identity is assigned"}', 400) as (machine, _):
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://{HOST}:{machine}/token")
        monkeypatch.setenv("IDENTITY_HEADER", "a header")
        monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")
        with pytest.raises(AzureUnavailableError, match="No token could be had for Azure") as caught:
            await read_by_identity(f"https://{HOST}:{reserve_port()}/account")
    assert "no identity is assigned" in (caught.value.said or "")
