"""The control plane of a fake, under /__sim: rules, ledger, verdict, profile, metrics."""

import ipaddress
import json
import time
from itertools import islice
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from . import wire
from .ledger import duplicate_submits, json_lines
from .profiles import Profile
from .rules import RuleError, RulesInvalid, read_rules
from .simulated import Simulated
from .visitors import stranger


def control_plane(fake: Simulated) -> FastAPI:
    """Return the application that steers a fake and tells what it saw."""
    app = FastAPI(
        title=f"{fake.service}: control plane",
        docs_url=f"{wire.CONTROL}/docs",
        redoc_url=None,
        openapi_url=f"{wire.CONTROL}/openapi.json",
    )
    app.include_router(routes(fake))
    return app


def routes(fake: Simulated) -> APIRouter:
    """Return the routes of the control plane."""

    def near(request: Request) -> None:
        is_open = fake.settings.sim_control_open
        host = request.client.host if request.client else ""
        if not is_open and not (host and ipaddress.ip_address(host).is_loopback):
            raise HTTPException(403, "the control plane answers loopback alone, unless SIM_CONTROL_OPEN is on")
        why = stranger(request.headers, request.url.scheme, any_host=is_open)
        if why is not None:
            raise HTTPException(403, why)

    router = APIRouter(prefix=wire.CONTROL, dependencies=[Depends(near)])
    _steer(fake, router)
    _tell(fake, router)
    return router


async def _body(request: Request) -> Any:
    try:
        return json.loads(await request.body())
    except ValueError:
        raise _refused(RulesInvalid([RuleError(rule="", field="", message="the body is no JSON")])) from None


def _steer(fake: Simulated, routes: APIRouter) -> None:  # noqa: C901 - one short function a route
    @routes.get("/rules")
    async def list_rules() -> dict[str, Any]:
        """Give the rules, each with its hits and the operations that it acts on."""
        return {"rules": fake.rules.public()}

    @routes.post("/rules", status_code=201)
    async def add_rules(request: Request) -> dict[str, Any]:
        """Add one rule or a list, or replace by id: 201 with the ids."""
        try:
            rules = read_rules(await _body(request))
            fake.rules.load(rules, time.time())
        except RulesInvalid as invalid:
            raise _refused(invalid) from invalid
        fake.rules_changed()
        return {"ids": [rule.id for rule in rules]}

    @routes.delete("/rules", status_code=204)
    async def remove_rules() -> Response:
        """Remove all rules: 204."""
        fake.rules.remove()
        fake.rules_changed()
        return Response(status_code=204)

    @routes.delete("/rules/{rule_id}", status_code=204)
    async def remove_rule(rule_id: str) -> Response:
        """Remove one rule: 204."""
        if not fake.rules.remove(rule_id):
            raise HTTPException(404, f"there is no rule {rule_id!r}")
        fake.rules_changed()
        return Response(status_code=204)

    @routes.post("/reset", status_code=204)
    async def reset() -> Response:
        """Forget calls and jobs; rules and profile are those of the start again: 204."""
        await fake.reset()
        return Response(status_code=204)

    @routes.get("/profile")
    async def get_profile() -> Profile:
        """Give latencies and capacity."""
        return fake.work.profile

    @routes.put("/profile")
    async def put_profile(request: Request) -> Profile:
        """Take a named profile or one's own."""
        try:
            fake.work.set_profile(fake.read_profile(await _body(request)))
        except RulesInvalid as invalid:
            raise _refused(invalid) from invalid
        return fake.work.profile


def _tell(fake: Simulated, routes: APIRouter) -> None:
    @routes.get("/rules/{rule_id}/near-misses")
    async def near_misses(rule_id: str) -> dict[str, Any]:
        """Give the calls that came nearest to a rule, and why it did not act on them."""
        found = fake.rules.near_misses(rule_id, fake.ledger.calls())
        if found is None:
            raise HTTPException(404, f"there is no rule {rule_id!r}")
        return {"near_misses": found}

    @routes.get("/ledger")
    async def ledger(
        key: str | None = None,
        operation: str | None = None,
        shape: Annotated[str, Query(alias="format", pattern="^(json|jsonl)$")] = "json",
        last: Annotated[int | None, Query(ge=1)] = None,
    ) -> Response:
        """Give the calls, by `key`, `operation`, the `last` so many; `format=jsonl` for JSON lines."""
        calls = list(fake.ledger.calls(key, operation))
        if last is not None:
            calls = list(islice(calls, max(0, len(calls) - last), None))
        if shape == "jsonl":
            return PlainTextResponse(json_lines(calls), media_type="application/x-ndjson")
        return JSONResponse(
            {"calls": [entry.public() for entry in calls], "duplicate_submits": duplicate_submits(calls)}
        )

    @routes.get("/verdict")
    async def verdict() -> dict[str, Any]:
        """Say `passed`, or `inconclusive` with the rules whose `expect` is not met, and their near misses."""
        return fake.rules.verdict(fake.ledger.calls)

    @routes.get("/health")
    async def health() -> dict[str, Any]:
        """Give the state: rules, calls, jobs, busy slots, queue depth, the second address, the time scale."""
        return {
            "service": fake.service,
            "control_url": fake.control_url,
            "operations": sorted(fake.operations),
            "profile": fake.work.profile.name,
            "time_scale": fake.settings.fakes_time_scale,
            "rules": len(fake.rules),
            "calls": len(fake.ledger),
            "refusing": any(begin <= time.time() < end for begin, end in fake.rules.refusals()),
            "jobs": len(fake.jobs),
        } | _gauges(fake)

    @routes.get("/metrics")
    async def metrics() -> Response:
        """Give slots, busy slots and queue depth to Prometheus."""
        lines = []
        for name, value in _gauges(fake).items():
            lines += [f"# TYPE fake_{name} gauge", f'fake_{name}{{service="{fake.service}"}} {value}']
        return PlainTextResponse("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4")


def _gauges(fake: Simulated) -> dict[str, int]:
    now, slots = time.time(), fake.work.slots
    return {
        "slots": slots.model.slots if slots else 0,
        "busy_slots": slots.busy(now) if slots else 0,
        "queue_depth": slots.waiting(now) if slots else 0,
    }


def _refused(invalid: RulesInvalid) -> HTTPException:
    return HTTPException(422, [error.model_dump() for error in invalid.errors])
