"""The application: its parts put together, and what goes around every request."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from azure.core.pipeline.transport import AsyncHttpTransport
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from temporalio.client import Client

from app.gateway.admission.access import Access
from app.gateway.admission.bodies import Bodies
from app.gateway.api.errors import add_handlers
from app.gateway.api.openapi import document
from app.gateway.api.page import HEADERS, page
from app.gateway.api.responses import AnswersWithPictures
from app.gateway.health import HealthChecks
from app.gateway.origins import Origins
from app.gateway.probed import HeadAsGet
from app.gateway.request_log import Frame
from app.gateway.routes import Parts, operations_routes, tryon_routes
from app.gateway.start import Starter
from app.gateway.temporal_calls import TryOns
from app.gateway.watch import Watches
from app.services.assembly import ServiceClients
from app.settings import Settings

BLOB_RETRIES = 2
"""The SDK's own quick ones: a request has no attempts, as an activity has."""


@asynccontextmanager
async def open_gateway(
    settings: Settings,
    client: Client,
    *,
    http_transport: httpx.AsyncBaseTransport | None = None,
    blob_transport: AsyncHttpTransport[Any, Any] | None = None,
) -> AsyncIterator[FastAPI]:
    """Put the gateway together and, at the block's end, close its connections.

    Args:
        settings: limits, addresses, task queue.
        client: the way to Temporal; it may connect at its first call.
        http_transport: asks the services for their health; production's own without one.
        blob_transport: reaches Blob Storage; production's own without one.
    """
    services = ServiceClients(
        settings, http_transport=http_transport, blob_transport=blob_transport, blob_retries=BLOB_RETRIES
    )
    try:
        yield _application(settings, client, services)
    finally:
        await services.close()


def _application(settings: Settings, client: Client, services: ServiceClients) -> FastAPI:
    app = FastAPI(
        title="Jewellery try-on",
        version="1.0.0",
        description="Takes a photo and points on it; returns pictures that wear jewellery.",
        # As they are: a router that is included is gone through twice for each request.
        routes=[*tryon_routes.routes, *operations_routes.routes],
        telemetry={"tracing": False, "metrics": False, "logs": False},  # app.process.telemetry traces requests
        docs_url=None,  # those pages load scripts from the internet; ours does not
        redoc_url=None,
        redirect_slashes=False,  # behind a proxy that is not trusted a redirect would lead from https to http
    )
    tryons = TryOns(client, settings)
    app.state.parts = Parts(
        tryons=tryons,
        starter=Starter(tryons, services.blobs, settings),
        bodies=Bodies(settings),
        results=AnswersWithPictures(services.blobs, settings),
        watches=Watches(tryons.look, share=settings.caller_share),
        checks=HealthChecks(tryons, services.pinged),
    )
    app.state.access = Access(settings)
    add_handlers(app)
    app.add_middleware(Frame)
    app.add_middleware(Origins)
    app.add_middleware(HeadAsGet)
    document(app)

    async def docs() -> HTMLResponse:
        return HTMLResponse(page(app.openapi()), headers=HEADERS)

    app.add_api_route("/docs", docs, include_in_schema=False)
    return app
