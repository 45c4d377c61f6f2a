"""The blob client's transport over real sockets: claimed time passes, and ends a call as real time would have."""

from collections.abc import AsyncIterator

import pytest
from azure.core.exceptions import ServiceRequestError, ServiceRequestTimeoutError, ServiceResponseTimeoutError
from azure.core.pipeline.transport import HttpRequest

from scenarios.virtual import story_alone
from scenarios.world.azure_transport import VirtualBlobTransport
from tests.virtual.claiming import Server, claiming

START = 1_800_000_000.0


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with claiming() as served:
        yield served


async def test_the_blob_transport_does_the_same(server: Server) -> None:
    with story_alone(START) as story:
        claims = ["Elapsed: 3", "Elapsed: inf", "Fault: refuse", "Fault: dns", "Fault: unreachable"]
        server.answers = ["", *(f"X-Sim-{claim}\r\n" for claim in claims)]
        async with VirtualBlobTransport() as transport:
            request = HttpRequest("GET", server.url)
            assert (await transport.send(request)).status_code == 200
            assert story.now == 0
            await transport.send(request)
            assert story.now == 3
            with pytest.raises(ServiceResponseTimeoutError):
                await transport.send(request, read_timeout=10)
            assert story.now == 13
            for said in ("refused", "name resolution"):
                with pytest.raises(ServiceRequestError, match=said):
                    await transport.send(request)
            with pytest.raises(ServiceRequestTimeoutError):
                await transport.send(request)
            assert story.now == 18
        assert server.times_sent() == [START, START, START + 3, START + 13, START + 13, START + 13]
