"""The HTTP under the blob client: one session, which believes the certificates that the environment names."""

import ssl

import aiohttp
from azure.core.pipeline.transport import AioHttpTransport

CONNECT_TIMEOUT = 5.0
"""Seconds in which a connection has to come about."""
READ_TIMEOUT = 30.0
"""Seconds for which an answer may be silent."""


class BlobTransport(AioHttpTransport):  # type: ignore[misc]  # the library gives it no types
    """The SDK's own transport with a session of ours.

    By itself it looks for a netrc and a proxy at each call, and changes threads twice for it. Its own session believes
    the certificates of the moment at which its library was imported, before `.env` was read; and a file of
    certificates that it is told of (`connection_verify`) is read anew at each call, 20 ms of CPU each.
    """

    session: aiohttp.ClientSession | None

    def __init__(self) -> None:
        # The client hands its own limits to a transport that it makes itself, and to no other.
        super().__init__(use_env_settings=False, connection_timeout=CONNECT_TIMEOUT, read_timeout=READ_TIMEOUT)
        self._closed = False

    async def open(self) -> None:
        """Open the session, with the certificates that `SSL_CERT_FILE` names by now, else the system's."""
        if self.session is None and not self._closed:
            self.session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=ssl.create_default_context()),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            )
        await super().open()

    async def close(self) -> None:
        """Close the session for good."""
        self._closed = True
        await super().close()
