"""The application: its parts put together, and what goes around every request."""

import httpx
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from temporalio.client import Client

from app.gateway.admission.access import Access
from app.gateway.admission.bodies import Bodies
from app.gateway.api.documentation import document
from app.gateway.api.errors import add_handlers
from app.gateway.api.responses import Results
from app.gateway.health import HealthChecks
from app.gateway.request_log import Frame
from app.gateway.routes import Parts, operations_routes, tryon_routes
from app.gateway.start import Starter
from app.gateway.temporal_calls import TryOns
from app.gateway.watch import Watches
from app.services.blob import BlobStore
from app.settings import Settings

LABEL = "[a-z0-9]([a-z0-9-]*[a-z0-9])?"
ALLOWED_ORIGINS = rf"http://localhost:[0-9]{{1,5}}|https://({LABEL}\.)+lovableproject\.com"
"""`http://localhost:*` and `https://*.lovableproject.com` (specification, CORS Configuration); matched in full."""


def create_app(settings: Settings, client: Client, blobs: BlobStore, http: httpx.AsyncClient) -> FastAPI:
    """Return the gateway.

    Args:
        settings: limits, addresses to check, task queue.
        client: the way to Temporal; it may connect at its first call.
        blobs: the way to Blob Storage, with quick retries of its own.
        http: asks the services for their health.
    """
    app = FastAPI(
        title="Jewellery try-on",
        version="1.0.0",
        description="Takes a photo and points on it; returns pictures that wear jewellery.",
        docs_url=None,  # those pages load scripts from the internet
        redoc_url=None,
    )
    tryons = TryOns(client, settings)
    app.state.parts = Parts(
        tryons=tryons,
        starter=Starter(tryons, blobs, settings),
        bodies=Bodies(settings),
        results=Results(blobs, settings),
        watches=Watches(tryons.look, share=settings.caller_share),
        checks=HealthChecks(settings, tryons, http),
    )
    app.state.access = Access(settings)
    app.include_router(tryon_routes)
    app.include_router(operations_routes)
    add_handlers(app)
    app.add_middleware(Frame)
    app.add_middleware(
        CORSMiddleware,
        allow_origin_regex=ALLOWED_ORIGINS,
        allow_methods=["*"],
        allow_headers=["*"],
        expose_headers=["Retry-After"],
    )
    document(app)
    return app
