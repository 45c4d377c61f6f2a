"""The application: the routes of the gateway, answered from scripts."""

import asyncio
import hashlib
import html
from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, Header, Query, Request, Response
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import HTMLResponse, JSONResponse

from fakes.gateway.asked import RefusedError, parse
from fakes.gateway.document import document, problems
from fakes.gateway.problems import CutOff, ProblemError, answer_problems
from fakes.gateway.scripts import PASSING, TIMES, Script, Start, UnknownScriptError, faster, script, scripts
from fakes.gateway.streams import events_of
from fakes.gateway.tryons import TryOn, TryOns

ALLOWED_ORIGINS = r"http://localhost:[0-9]{1,5}|https://([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+lovableproject\.com"
"""The gateway's own origins: a page that works here works there."""

MAX_BODY = 32 * 1024 * 1024
PAGE = Path(__file__).with_name("page.html")


class FakeGateway:
    """What the routes work with: try-ons, the speed that they go at, and which requests were refused how often."""

    def __init__(self, speed: float = 1.0) -> None:
        self.tryons = TryOns()
        self.speed = speed
        self.refused: Counter[str] = Counter()
        self.leaving = asyncio.Event()

    def scripted(self, name: str | None) -> Script | None:
        """Return the script of this name, at this gateway's speed.

        Raises:
            ProblemError: there is no such script.
        """
        if name is None:
            return None
        try:
            return faster(script(name), self.speed)
        except UnknownScriptError as error:
            message = str(error.args[0])
            raise ProblemError(422, "INVALID_REQUEST", message, [("X-Scenario", message)]) from None

    def first(self, one: Script, asked_by: str) -> bool:
        """Say whether this start is the first one of its script by this caller."""
        self.refused[f"{one.name} {asked_by}"] += 1
        return self.refused[f"{one.name} {asked_by}"] == 1

    def refuse(self, operation: str, one: Script | None, asked_by: str) -> None:
        """Refuse an operation as its script says.

        Raises:
            ProblemError: it says so.
        """
        if one is None or one.operation != operation or one.code is None:
            return
        problem = problems(operation)[one.code]
        counted = f"{one.name} {asked_by}"
        self.refused[counted] += 1
        if problem.status in PASSING and self.refused[counted] > TIMES:
            del self.refused[counted]
            return
        beside = {"workflowId": asked_by, "status": "COMPLETED"} if problem.code == "WORKFLOW_FINISHED" else {}
        raise ProblemError(problem.status, problem.code, problem.message, beside=beside)


async def _gateway(request: Request) -> FakeGateway:
    found = request.app.state.gateway
    assert isinstance(found, FakeGateway)
    return found


Gateway = Annotated[FakeGateway, Depends(_gateway)]


async def _named(
    gateway: Gateway,
    x_scenario: Annotated[str | None, Header(description="The script that it follows; GET /scenarios.")] = None,
) -> Script | None:
    return gateway.scripted(x_scenario)


Named = Annotated[Script | None, Depends(_named)]


async def _tryon(workflow_id: str, gateway: Gateway, _named: Named) -> TryOn:
    found = gateway.tryons.get(workflow_id)
    if found is None:
        raise ProblemError(404, "WORKFLOW_NOT_FOUND", "There is no try-on with this id")
    await asyncio.sleep(found.script.delay)
    return found


Known = Annotated[TryOn, Depends(_tryon)]


def create_app(speed: float = 1.0) -> FastAPI:
    """Return the fake gateway, whose try-ons go so many times faster than their scripts say."""
    app = FastAPI(redirect_slashes=False, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.gateway = FakeGateway(speed)
    app.add_middleware(
        CORSMiddleware,
        allow_origin_regex=ALLOWED_ORIGINS,
        allow_methods=["*"],
        allow_headers=["*"],
        allow_private_network=True,
        expose_headers=["Retry-After", "X-Scenario"],
    )
    for route, operation, methods in (
        ("/workflow/start", start, ["POST"]),
        ("/workflow/{workflow_id}", status, ["GET"]),
        ("/workflow/{workflow_id}/cancel", cancel, ["POST"]),
        ("/workflow/{workflow_id}/events", events, ["GET"]),
        ("/health", health, ["GET"]),
        ("/livez", livez, ["GET", "HEAD"]),
        ("/readyz", readyz, ["GET", "HEAD"]),
        ("/openapi.json", openapi, ["GET"]),
        ("/scenarios", listed, ["GET"]),
        ("/", page, ["GET"]),
    ):
        app.add_api_route(route, operation, methods=methods)

    answer_problems(app)
    return app


# ---------------------------------------------------------------- the API
async def start(
    request: Request,
    gateway: Gateway,
    named: Named,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=255)] = None,
) -> Response:
    """Start a try-on that follows the script of the header, else the one that the session is named after."""
    body = await request.body()
    if len(body) > MAX_BODY:
        raise ProblemError(413, "BODY_TOO_LARGE", "The body is larger than 32 MiB, the most that is taken")
    try:
        asked = await asyncio.to_thread(parse, body)
    except RefusedError as error:
        field, message = error.fields[0]
        more = f" (and {len(error.fields) - 1} more)" if len(error.fields) > 1 else ""
        raise ProblemError(422, error.code, f"{field}: {message}{more}", error.fields) from None
    session = asked.session_id if asked.session_id in scripts() else None
    one = named or gateway.scripted(session or "happy")
    assert one is not None
    await asyncio.sleep(one.delay)
    digest = hashlib.sha256(body).hexdigest()
    gateway.refuse("start", one, idempotency_key or digest)
    try:
        known = gateway.tryons.by_key(idempotency_key, digest) if idempotency_key else None
    except ValueError:
        message = "This Idempotency-Key was used with another body before; make a new key for a new request"
        raise ProblemError(409, "IDEMPOTENCY_KEY_REUSED", message) from None
    tryon = known or gateway.tryons.start(one, asked, idempotency_key, digest)
    answer = _answer({"workflowId": tryon.workflow_id, "status": "RUNNING"}, tryon, 202)
    if known or one.start is Start.ANSWERED or not gateway.first(one, idempotency_key or digest):
        return answer
    if one.start is Start.LOST:
        return CutOff(answer.body, 202, dict(answer.headers))
    message = "Temporal did not say whether it took the try-on: ask for it, or send the same again with this id as key"
    raise ProblemError(503, "TEMPORAL_UNAVAILABLE", message, beside={"workflowId": tryon.workflow_id})


async def status(
    tryon: Known, gateway: Gateway, wait: Annotated[float, Query(ge=0, le=60, allow_inf_nan=False)] = 0
) -> Response:
    """Say how a try-on stands, at its end or after so many seconds."""
    gateway.refuse("status", tryon.script, tryon.workflow_id)
    until = asyncio.get_running_loop().time() + wait
    while tryon.state()["status"] == "RUNNING" and not gateway.leaving.is_set():
        left = until - asyncio.get_running_loop().time()
        if left <= 0:
            break
        await asyncio.sleep(min(left, tryon.changes_in(), 0.2))
    state = tryon.state()
    if state["status"] == "COMPLETED":
        state["result"] = await asyncio.to_thread(tryon.result)
    return _answer(state, tryon)


async def cancel(tryon: Known, gateway: Gateway) -> Response:
    """Cancel a try-on that runs."""
    gateway.refuse("cancel", tryon.script, tryon.workflow_id)
    state = tryon.state()
    if state["status"] != "RUNNING":
        message = f"The try-on has ended already: it is {state['status']}"
        beside = {"workflowId": tryon.workflow_id, "status": state["status"]}
        raise ProblemError(409, "WORKFLOW_FINISHED", message, beside=beside)
    tryon.cancelled = True
    return _answer(tryon.state(), tryon)


async def events(
    tryon: Known, gateway: Gateway, last_event_id: Annotated[str | None, Header(alias="Last-Event-ID")] = None
) -> Response:
    """Follow a try-on."""
    gateway.refuse("events", tryon.script, tryon.workflow_id)
    return events_of(tryon, gateway.leaving, last_event_id)


async def health(named: Named) -> dict[str, Any]:
    """Say what the backend can reach."""
    away: dict[str, Literal["online", "slow", "offline"]] = {"a100": "offline", "sam3": "slow"}
    found = away if named and named.degraded else {}
    services = {name: found.get(name, "online") for name in ("a100", "imageManipulator", "birefnet", "sam3")}
    return {"status": "degraded" if found else "healthy", "temporal": "connected", "services": services}


async def livez() -> dict[str, str]:
    """Say that the process is alive."""
    return {"status": "alive"}


async def readyz(gateway: Gateway, named: Named) -> dict[str, str]:
    """Say whether requests are taken."""
    gateway.refuse("readyz", named, "")
    return {"status": "ready"}


# ---------------------------------------------------------------- beside the API
async def openapi() -> dict[str, Any]:
    """Return the gateway's own document."""
    return document()


async def listed() -> dict[str, str]:
    """List the scripts."""
    return {name: one.what for name, one in scripts().items()}


async def page() -> HTMLResponse:
    """Show the scripts to people."""
    rows = "".join(f"<tr><td><code>{name}</code><td>{html.escape(one.what)}" for name, one in scripts().items())
    return HTMLResponse(PAGE.read_text().replace("<!-- rows -->", rows))


def _answer(body: dict[str, Any], tryon: TryOn, status_code: int = 200) -> Response:
    return JSONResponse(body, status_code, {"X-Scenario": tryon.script.name})
