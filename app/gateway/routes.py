"""The endpoints: each reads its request, asks one of the parts, and answers in the specification's shape."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated

import structlog
import xxhash
from fastapi import APIRouter, Depends, Header, Path, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from app.errors import PipelineError
from app.errors.request import WorkflowNotFoundError
from app.errors.temporal import TemporalUnavailableError
from app.gateway.admission.access import caller_name, caller_of, may_start, who_calls
from app.gateway.admission.bodies import Bodies
from app.gateway.api import openapi as docs
from app.gateway.api.errors import NothingMoreError, problem_response
from app.gateway.api.responses import AnswersWithPictures, Cancelled, Started, StatusAnswer, without_pictures
from app.gateway.api.start_request import parse_start
from app.gateway.api.status_request import ID_DESCRIPTION, STATUS_PARAMETERS, ByHand, wait_of
from app.gateway.health import Health, HealthChecks
from app.gateway.start import Starter
from app.gateway.temporal_calls import Snapshot, Status, TryOns
from app.gateway.watch import Watches
from app.names import workflow_id_for
from app.pictures.photo import accept

COME_AGAIN_MS = 5000
"""When a browser comes again after an event `unavailable`."""

tryon_routes = APIRouter(tags=[docs.GUARDED], dependencies=[Depends(who_calls)], responses=docs.ACCESS_ERRORS)
"""What a browser calls."""

operations_routes = APIRouter(tags=["operations"], responses=docs.CONNECTION_ERRORS)
"""What machines and people on call ask."""


@dataclass(frozen=True)
class Parts:
    """What the endpoints work with; one for each application."""

    tryons: TryOns
    starter: Starter
    bodies: Bodies
    results: AnswersWithPictures
    watches: Watches
    checks: HealthChecks


def parts_of(request: Request) -> Parts:
    """Return the parts of the application that serves this request."""
    parts = request.app.state.parts
    assert isinstance(parts, Parts)
    return parts


async def known_id(  # async: FastAPI sends plain ones to a thread
    workflow_id: Annotated[str, Path(alias="workflowId", description=ID_DESCRIPTION)],
) -> str:
    """Take an id that can be one: Temporal would refuse longer ones, and a URL carries no others."""
    if len(workflow_id) > 255 or not workflow_id.isascii() or not workflow_id.isprintable():
        raise WorkflowNotFoundError("There is no try-on with this id")
    structlog.contextvars.bind_contextvars(workflow_id=workflow_id)
    return workflow_id


WorkflowId = Annotated[str, Depends(known_id)]


@tryon_routes.post(
    "/workflow/start",
    status_code=202,
    response_model=Started,
    responses=docs.START_ERRORS,
    openapi_extra=docs.START_BODY,
    dependencies=[Depends(may_start)],
    summary="Start a try-on",
)
async def start(
    request: Request,
    idempotency_key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            min_length=1,
            max_length=255,
            description="Send the same request again with the same key: one try-on.",
        ),
    ] = None,
) -> Response:
    """Check the request, store the photo and start the workflow. The answer comes at once; the try-on takes a while."""
    parts = parts_of(request)
    async with parts.bodies.slot(request, caller_of(request)):
        body = await parts.bodies.read(request)
        digest = xxhash.xxh3_128_hexdigest(body)  # no secret: who makes two bodies alike misleads only himself
        asked = parse_start(body)
        del body
        photo = accept(asked.picture)
        workflow_id = workflow_id_for(idempotency_key, caller_name(request))
        structlog.contextvars.bind_contextvars(workflow_id=workflow_id)
        wanted = asked.workflow_input(parts.starter.staged_uri(workflow_id))
        del asked  # and with it the photo as it was posted
        await parts.starter.start(workflow_id, wanted, photo, body_digest=digest)
    return _json(Started(workflow_id=workflow_id).body(), status_code=202)


async def status(request: Request) -> Response:
    """Say how a try-on stands; once it is COMPLETED, with its pictures. A failed try-on is a 200 that says so."""
    workflow_id, wait = await known_id(request.path_params["workflowId"]), wait_of(request)
    parts, caller = parts_of(request), caller_of(request)
    snapshot = await parts.tryons.look(workflow_id)
    output = None
    if wait and not snapshot.ended:
        output = await parts.watches.until(lambda: parts.tryons.ended(workflow_id), request, caller, wait)
        if output is None:  # it failed, was cancelled, or goes on
            snapshot = await parts.tryons.look(workflow_id)
    if output is None and snapshot.status is Status.COMPLETED:
        output = await parts.tryons.output(workflow_id)
    if output is not None:
        return parts.results.answer(caller, workflow_id, output)
    return _json(without_pictures(snapshot).body())


tryon_routes.add_api_route(
    "/workflow/{workflowId}",
    status,
    route_class_override=ByHand,
    response_model=StatusAnswer,
    responses=docs.STATUS_RESPONSES,
    openapi_extra=STATUS_PARAMETERS,
    summary="Ask how a try-on stands",
)


@tryon_routes.post(
    "/workflow/{workflowId}/cancel",  # noqa: FAST003 - `known_id` takes it
    response_model=Cancelled,
    responses=docs.CANCEL_ERRORS,
    summary="Cancel a try-on",
)
async def cancel(request: Request, workflow_id: WorkflowId) -> Response:
    """Cancel a running try-on. While a worker is up it ends within 2 s, and no service is called for it any more."""
    await parts_of(request).tryons.cancel(workflow_id)
    return _json(Cancelled(workflow_id=workflow_id).body())


LastEventId = Annotated[
    str | None,
    Header(alias="Last-Event-ID", description="The event that a browser has seen last; it sends this itself."),
]


async def _first_look(request: Request, workflow_id: WorkflowId, last_event_id: LastEventId = None) -> str:
    """Refuse an unknown id before the stream begins: afterwards there is no status to say it with."""
    snapshot = await parts_of(request).tryons.look(workflow_id)
    if snapshot.ended and _event_id(snapshot) == last_event_id:
        raise NothingMoreError
    return workflow_id


@tryon_routes.get(
    "/workflow/{workflowId}/events",  # noqa: FAST003 - `known_id` takes it
    response_class=EventSourceResponse,
    responses=docs.EVENTS_RESPONSES,
    summary="Follow a try-on",
)
async def events(
    request: Request, workflow_id: Annotated[str, Depends(_first_look)], last_event_id: LastEventId = None
) -> AsyncIterator[ServerSentEvent]:
    """Send an event `progress` at each change and one `end`, as server-sent events. GET then has the pictures.

    A comment comes every 15 s. An event `unavailable` says that the backend cannot tell now, and when to come again.
    """
    try:
        async with aclosing(parts_of(request).watches.watch(workflow_id)) as changes:
            async for snapshot in changes:
                if _event_id(snapshot) != last_event_id:
                    yield _event(snapshot)
    except PipelineError as error:
        # Not `error`: by that name an EventSource tells of itself.
        told = bytes(problem_response(error).body).decode()
        yield ServerSentEvent(event="unavailable", retry=COME_AGAIN_MS, raw_data=told)


def _event(snapshot: Snapshot) -> ServerSentEvent:
    kind, place = "end" if snapshot.ended else "progress", _event_id(snapshot)
    if snapshot.status is Status.COMPLETED:
        said = {"workflowId": snapshot.workflow_id, "status": snapshot.status}
        return ServerSentEvent(event=kind, id=place, data=said)
    return ServerSentEvent(event=kind, id=place, raw_data=without_pictures(snapshot).body().decode())


def _event_id(snapshot: Snapshot) -> str:
    """Return what `Last-Event-ID` names an event by: the progress, or how it ended."""
    return str(snapshot.status if snapshot.ended else snapshot.step.progress)


@operations_routes.get("/health", summary="What the backend can reach")
async def health(request: Request) -> Health:
    """Ask Temporal and the four services, side by side, within 3 s. Always a 200: `status` says whether all answer."""
    return await parts_of(request).checks.health()


@operations_routes.get("/livez", summary="Is the process alive")
async def livez() -> dict[str, str]:
    """Answer without asking anybody: when this fails, restart the process."""
    return {"status": "alive"}


@operations_routes.get("/readyz", summary="Can it take requests", responses=docs.READY_ERRORS)
async def readyz(request: Request) -> dict[str, str]:
    """Answer 200 while Temporal answers, else 503: send requests to another gateway until then."""
    if not await parts_of(request).checks.ready():
        raise TemporalUnavailableError("Temporal does not answer", retry_after=5)
    return {"status": "ready"}


def _json(body: bytes, status_code: int = 200) -> Response:
    return Response(body, status_code=status_code, media_type="application/json")
