"""The console's server: the page itself, and the few things of the harness that the page cannot ask the public API."""

import uuid
import zlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel
from starlette.middleware.base import RequestResponseEndpoint
from temporalio.client import Client
from temporalio.service import RPCError

from app.names import workflow_id_for
from fakes.kit.client import ControlError
from fakes.kit.visitors import stranger
from fakes.presets import PRESETS, about
from fakes.registry import SERVICES
from scenarios.console import samples
from scenarios.console.addresses import Addresses
from scenarios.console.codes import codes
from scenarios.console.fakes import Fakes, UnknownError
from scenarios.console.reproductions import Reproductions
from scenarios.console.scenario_runs import ScenarioRuns, Time
from scenarios.console.switches import SWITCHES
from scenarios.console.told import tell
from scenarios.console.traces import Traces, tree
from scenarios.pipeline import BY_ACTIVITY, COMPLETED, STEPS
from scenarios.stories.drawing import draw, legend

PAGE = Path(__file__).with_name("static")
POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; connect-src 'self' {gateway}; object-src 'none'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
LARGEST_BATCH = 8 * 1024 * 1024
"""Bytes of spans that are taken at once, unpacked. An exporter sends batches of 512 spans, some 300 KB."""
GZIP = 16 + zlib.MAX_WBITS


class Switched(BaseModel):
    """A fault to switch on or off: for one workflow, or for all when none is named."""

    on: bool
    workflow_id: str | None = None


def create_console(
    addresses: Addresses, fakes: Fakes, runs: ScenarioRuns, reproductions: Reproductions, temporal: Client
) -> FastAPI:
    """Return the console's application.

    Args:
        addresses: of the stack.
        fakes: its control planes.
        runs: runs scenarios.
        reproductions: makes scenarios of workflows.
        temporal: the way to Temporal; it may connect at its first call.
    """
    app = FastAPI(title="Try-on console", docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(_about(addresses))
    app.include_router(_steering(fakes))
    app.include_router(_stories(addresses, fakes, temporal))
    app.include_router(_scenarios(runs))
    app.include_router(_reproductions(reproductions))
    app.include_router(_traces(Traces()))
    app.mount("/", StaticFiles(directory=PAGE, html=True))

    @app.middleware("http")
    async def around(request: Request, call_next: RequestResponseEndpoint) -> Response:
        if (why := stranger(request.headers, request.url.scheme)) is not None:
            return JSONResponse({"message": why}, status_code=403)
        if request.url.hostname == "127.0.0.1" and request.url.path == "/":
            # The gateway lets pages of localhost in, by that name (specification, CORS Configuration).
            return RedirectResponse(request.url.replace(netloc=f"localhost:{request.url.port or 80}"))
        response = await call_next(request)
        response.headers["Cache-Control"] = "no-cache"
        response.headers.setdefault("Content-Security-Policy", POLICY.format(gateway=addresses.gateway))
        return response

    @app.exception_handler(UnknownError)
    async def unknown(_request: Request, error: UnknownError) -> Response:
        return JSONResponse({"message": str(error)}, status_code=404)

    @app.exception_handler(ControlError)
    async def refused(_request: Request, error: ControlError) -> Response:
        return JSONResponse({"message": str(error)}, status_code=502)

    @app.exception_handler(RPCError)
    @app.exception_handler(RuntimeError)  # how the SDK says that a lazy client could not connect
    async def no_temporal(_request: Request, _error: Exception) -> Response:
        return JSONResponse({"message": "Temporal does not answer; is the stack up?"}, status_code=502)

    return app


def _about(addresses: Addresses) -> APIRouter:
    routes = APIRouter(prefix="/harness")

    @routes.get("/config")
    async def config() -> dict[str, Any]:
        return {
            "gateway": addresses.gateway,
            "temporalUi": addresses.temporal_ui or None,
            "services": {service.name: service.title for service in SERVICES.values()},
            "steps": [
                *({"name": step.name, "progress": step.progress, "service": step.service} for step in STEPS),
                {"name": COMPLETED, "progress": 100, "service": None},
            ],
            "codes": codes(),
            "switches": [asdict(switch) for switch in SWITCHES],
            "presets": {name: about(name) for name in PRESETS},
            "samples": {name: samples.points(name) for name in samples.ZOOMS},
        }

    @routes.get("/next")
    async def next_id() -> dict[str, str]:
        """Return a fresh Idempotency-Key and the workflow id that it becomes: faults can be set for it beforehand."""
        key = f"console-{uuid.uuid4()}"
        return {"key": key, "workflowId": workflow_id_for(key)}

    @routes.get("/samples/{name}.jpg")
    def sample(name: str) -> Response:
        if name not in samples.ZOOMS:
            raise UnknownError(f"there is no sample {name!r}; there are {', '.join(samples.ZOOMS)}")
        return Response(samples.sample(name), media_type="image/jpeg")

    return routes


def _steering(fakes: Fakes) -> APIRouter:
    routes = APIRouter(prefix="/harness/fakes")

    @routes.get("")
    async def states() -> list[dict[str, Any]]:
        return await fakes.states()

    @routes.put("/switches/{name}", status_code=204)
    async def switch(name: str, asked: Switched) -> None:
        await fakes.switch(name, asked.workflow_id, on=asked.on)

    @routes.put("/presets/{name}", status_code=204)
    async def preset(name: str) -> None:
        await fakes.preset(name)

    @routes.delete("/rules", status_code=204)
    async def all_off() -> None:
        await fakes.all_off()

    @routes.put("/profile/{name}", status_code=204)
    async def profile(name: str) -> None:
        await fakes.set_profile(name)

    return routes


def _stories(addresses: Addresses, fakes: Fakes, temporal: Client) -> APIRouter:
    routes = APIRouter(prefix="/harness/workflows")

    @routes.get("/{workflow_id}")
    async def story(workflow_id: str) -> dict[str, Any]:
        """Return attempts, waits and calls of a workflow, in seconds since its start."""
        told = await tell(temporal, fakes, workflow_id)
        return {
            "workflowId": workflow_id,
            "status": told.status,
            "page": addresses.workflow_page(workflow_id),
            "began": told.timeline.began,
            "length": told.timeline.length,
            "drawing": draw(told, f"Workflow {workflow_id}: {told.status}") + legend(),
            "attempts": [
                {key: value for key, value in asdict(attempt).items() if key not in {"heartbeats", "limits"}}
                | {"step": BY_ACTIVITY[attempt.activity].name if attempt.activity in BY_ACTIVITY else None}
                for attempt in told.timeline.attempts
            ],
            "calls": [asdict(call) for call in told.calls],
        }

    return routes


def _scenarios(runs: ScenarioRuns) -> APIRouter:
    routes = APIRouter(prefix="/harness")

    @routes.get("/scenarios")
    async def catalogue() -> list[dict[str, Any]]:
        return runs.catalogue()

    @routes.post("/scenarios/{name}/runs/{how}", status_code=202)
    async def start(name: str, how: Time) -> dict[str, Any]:
        return runs.start(name, how).public()

    @routes.get("/runs/{run_id}")
    async def run(run_id: str) -> dict[str, Any]:
        return runs.find(run_id).public()

    @routes.get("/runs/{run_id}/timeline.html")
    async def timeline(run_id: str) -> Response:
        page = runs.find(run_id).page
        if not page:
            raise UnknownError(f"the run {run_id!r} has drawn no timeline")
        return HTMLResponse(page, headers={"Content-Security-Policy": REPORT_POLICY})

    return routes


def _reproductions(reproductions: Reproductions) -> APIRouter:
    routes = APIRouter(prefix="/harness")

    @routes.post("/workflows/{workflow_id}/scenario", status_code=202)
    async def make(workflow_id: str) -> dict[str, Any]:
        return reproductions.start(workflow_id).public()

    @routes.get("/reproductions/{number}")
    async def one(number: str) -> dict[str, Any]:
        return reproductions.find(number).public()

    @routes.get("/reproductions/{number}/{name}")
    async def file(number: str, name: str) -> Response:
        return Response(
            reproductions.file(number, name),
            media_type="application/octet-stream",
            headers={"Content-Disposition": "attachment"},
        )

    return routes


def _traces(traces: Traces) -> APIRouter:
    routes = APIRouter()

    @routes.post("/v1/traces")
    async def take(request: Request) -> Response:
        """Take spans by OTLP over HTTP, the path that its specification fixes."""
        try:
            traces.take(await _unpacked(request))
        except TooLargeError:
            return JSONResponse({"message": f"more than {LARGEST_BATCH} bytes of spans at once"}, status_code=413)
        except (ValueError, zlib.error) as error:
            return JSONResponse({"message": str(error)}, status_code=400)
        return Response(media_type="application/x-protobuf")

    @routes.get("/harness/traces/{workflow_id}")
    async def one(workflow_id: str) -> dict[str, Any]:
        spans = traces.of(workflow_id)
        dropped = traces.dropped(workflow_id)
        return {
            "traceId": spans[0].trace_id,
            "spans": [asdict(span) for span in spans],
            "dropped": dropped,
            "tree": tree(spans, dropped),
        }

    return routes


class TooLargeError(Exception):
    """More spans at once than are taken."""


async def _unpacked(request: Request) -> bytes:
    """Return the body, unpacked if it is gzip, and never more than the largest batch.

    Raises:
        TooLargeError: it is longer.
        zlib.error: it is no gzip.
    """
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST_BATCH:
            raise TooLargeError
    if request.headers.get("content-encoding") != "gzip":
        return bytes(body)
    unpacked = zlib.decompressobj(GZIP).decompress(bytes(body), LARGEST_BATCH + 1)
    if len(unpacked) > LARGEST_BATCH:
        raise TooLargeError
    return unpacked
