"""Any ASGI application as a fake: its operations follow rules, fill a ledger and keep the caller's time."""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cached_property, partial
from typing import Any, cast

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from . import wire
from .bodies import fields, read
from .calls import CURRENT, Answer, Call, Operation, this_call
from .delivery import TRANSPORT, Exchange, Recorder, deliver, is_json
from .described import described
from .faults.base import AnswerFault, CallFault, Part
from .jobs import Jobs
from .kept import KeptAnswers
from .ledger import Entry, Ledger
from .lifespan import lifespan
from .profiles import INSTANT, Named, Profile, read_profile
from .routes import Routes
from .rulebook import RuleBook
from .rules import read_rules, read_yaml
from .settings import FakeSettings
from .straight import straight
from .work import OutOfMemoryError, Work

LOG = logging.getLogger(__name__)
WORKFLOW_ID, ATTEMPT, TIME = (name.lower().encode() for name in (wire.WORKFLOW_ID, wire.ATTEMPT, wire.TIME))
IDEMPOTENCY_KEY = b"idempotency-key"


class Simulated:
    """An application, wrapped: an ASGI application itself, which `fakes.kit.serve.serving` serves."""

    def __init__(
        self,
        app: ASGIApp,
        service: str,
        settings: FakeSettings,
        operations: Iterable[Operation],
        *,
        profiles: Named = INSTANT,
        key_of: Callable[[Scope], str] | None = None,
        dressed: Callable[[Answer, CallFault], Answer] | None = None,
    ) -> None:
        """Wrap an application.

        Args:
            app: any application of ASGI; it is not changed.
            service: the name that rules use.
            settings: how it runs.
            operations: what it can be asked. All other requests pass as they are, and are not written down.
            profiles: those that can be named.
            key_of: says whose a call without X-Workflow-Id is. Without it a poll is its job's, and others are nobody's.
            dressed: brings an answer of a fault into the form that this service gives its errors.
        """
        self.app = app
        self.service = service
        self.settings = settings
        self.operations = {operation.name: operation for operation in operations}
        self.ledger = Ledger(settings.sim_ledger_size)
        keyed = settings.sim_clock == "caller"
        self.rules = RuleBook(service, self._as_rules_see_them, settings.sim_seed, keyed_refusal=keyed)
        self.jobs = Jobs(settings.sim_seed)
        self.work = Work(service, self.operations)
        self.control_url: str | None = None
        self.rules_changed: Callable[[], None] = lambda: None
        """Set by the server, which closes and opens its listener by the rules."""
        self._profiles = profiles
        self._key_of = key_of or self._key_of_job
        self._dressed = dressed
        self._kept = KeptAnswers()
        self._routes = Routes(self.operations.values())

    # ------------------------------------------------------------ what a handler uses

    async def takes(self, megapixels: float = 0.0) -> None:
        """Let the service time pass that the operation of this call takes, for a picture of that size.

        Raises:
            HTTPException: 500 out of memory, 503 or 429 when all slots and the queue are full.
        """
        try:
            end = self.work.admit(megapixels)
        except OutOfMemoryError as error:
            raise HTTPException(500, str(error)) from error
        call = this_call()
        if call.virtual:
            call.elapsed += end - call.now
        else:
            pause = end - time.time()
            if call.entry is not None:
                call.entry.intended_s += max(0.0, pause)
            await asyncio.sleep(pause)

    # ------------------------------------------------------------ one call

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request: an operation by rules and with the ledger, all else as the application does."""
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
            return
        operation = self._routes.find(scope["method"], scope["path"]) if scope["type"] == "http" else None
        if scope["type"] == "http" and scope["query_string"] and (kept := self._kept.fetched(scope)):
            await deliver(kept, _nobodys(Operation("", "", "")), scope, receive, send)
        elif operation is None:
            await self._pass_on(scope, receive, send)
        else:
            await self._answer(operation, scope, receive, send)

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Have the application answer what is no operation, or the host where rules say that there is no such app."""
        host = self.rules.of_the_host() if scope["type"] == "http" and self.rules else None
        call = _nobodys(Operation("", "", ""))
        answer = await host.act(call) if host is not None else None
        if answer is None:
            await self.app(scope, receive, send)
        else:
            await deliver(answer, call, scope, receive, send)

    async def _answer(self, operation: Operation, scope: Scope, receive: Receive, send: Send) -> None:
        call = self._open(operation, scope)
        if call is None:
            refused = Answer.of_json(400, {"detail": f"{wire.TIME} is Unix seconds, as a number"})
            await deliver(refused, _nobodys(operation), scope, receive, send)
            return
        CURRENT.set(call)
        started = time.perf_counter()
        entry = call.entry
        if entry is not None:
            receive = await self._match(call, entry, receive)
        exchange = Exchange(call, receive, send, asks_json=is_json(scope["headers"]))
        try:
            await self._serve(call, scope, exchange)
        except Exception as error:  # noqa: BLE001 - whatever it is: it is told as the fake's own
            await self._own(error, call, scope, exchange)
        finally:
            if entry is not None:
                if not call.virtual:
                    entry.duration_s = time.perf_counter() - started
                elif math.isfinite(call.elapsed):
                    entry.duration_s = call.elapsed
                for hit in call.hits:
                    if not hit.carried:
                        hit.close()

    async def _serve(self, call: Call, scope: Scope, exchange: Exchange) -> None:
        app = self._straight.get(call.operation.name, self.app)
        answer = await self._instead(call) if call.hits else None
        latency = self.work.profile.latency
        if answer is None and latency and not call.operation.works and call.operation.name in latency:
            await call.wait(latency[call.operation.name].at(call.draw("latency")))
        changing = [hit for hit in call.hits if isinstance(hit.fault, AnswerFault)] if call.hits else []
        if answer is None and not changing:
            exchange.answers = True
            await app(scope, exchange.receive, exchange.send)
            if exchange.answers:
                await exchange.let_go()
            return
        if answer is None:
            recorder = Recorder()
            await app(scope, exchange.receive, recorder)
            answer = recorder.answer()
        call.keep = partial(self._kept.keep, scope)
        for hit in changing:
            fault = cast("AnswerFault", hit.fault)
            changed = fault.act(call, answer) if answer.status < 300 or Part.WORK not in fault.needs else None
            if changed is not None:
                hit.act()
                answer = changed
        await deliver(answer, call, scope, exchange.receive, exchange.send)

    async def _instead(self, call: Call) -> Answer | None:
        """Have those faults act that come before the work, the waiting ones first. Return what answers in its place."""
        acting = [hit for hit in call.hits if isinstance(hit.fault, CallFault)]
        acting.sort(key=lambda hit: Part.WORK in cast("CallFault", hit.fault).takes)
        for hit in acting:
            fault = cast("CallFault", hit.fault)
            call.acting = hit
            answer = await fault.act(call)
            call.acting = None
            if answer is not None:
                hit.act()
                return self._dressed(answer, fault) if self._dressed is not None else answer
        return None

    async def _own(self, error: Exception, call: Call, scope: Scope, exchange: Exchange) -> None:
        """Answer for an exception: what the fake refuses as it says, a bug as a 500 that names the fake."""
        if exchange.begun:
            raise error
        exchange.drop()
        if isinstance(error, HTTPException):
            answer = Answer.of_json(error.status_code, {"detail": error.detail}, error.headers)
        else:
            bug = f"{type(error).__name__}: {error}"
            LOG.error("fake %s: a bug of its own in %s: %s", self.service, call.operation.name, bug, exc_info=error)
            if call.entry is not None:
                call.entry.bug = bug
            answer = Answer.of_json(500, {"detail": f"a bug of the fake {self.service}, in its log: {bug}"})
        await deliver(answer, call, scope, exchange.receive, exchange.send)

    def _open(self, operation: Operation, scope: Scope) -> Call | None:
        """Return the call with its number and its entry in the ledger; None when its time is unreadable."""
        at = time.time()
        key, attempt, now, virtual, idempotency_key = "", None, at, False, None
        settings = self.settings
        for name, value in scope["headers"]:
            if name == WORKFLOW_ID:
                key = value.decode("latin-1")
            elif name == ATTEMPT and value.isdigit():
                attempt = int(value)
            elif name == IDEMPOTENCY_KEY:
                idempotency_key = value.decode("latin-1")
            elif name == TIME and settings.sim_enabled:
                try:
                    now, virtual = float(value), True
                except ValueError:
                    return None
                if not math.isfinite(now):
                    return None
        key = key or self._key_of(scope)
        number, since_first = self.rules.count(key, operation.name, now)
        entry = None
        if settings.sim_enabled:
            entry = Entry(self.service, operation.name, key, number, attempt, at, now, since_first)
            entry.idempotency_key = idempotency_key
            self.ledger.add(entry)
        scale = settings.fakes_time_scale
        call = Call(self.service, operation, key, number, attempt, now, virtual, scale, settings.sim_seed, entry=entry)
        call.transport = scope.get(TRANSPORT)
        return call

    async def _match(self, call: Call, entry: Entry, receive: Receive) -> Receive:
        """Have a call meet its rules. Return where its body comes from: rules may have read it."""
        names = self.rules.body_fields.get(entry.operation)
        if names:
            body, receive = await read(receive)
            entry.asked = fields(body, names)
        call.hits = self.rules.match(entry)
        return receive

    def _key_of_job(self, scope: Scope) -> str:
        """Return the key of the job that a call polls, else none."""
        job = self.jobs.get(scope["path"].rpartition("/")[2])
        return job.key if job else ""

    # ------------------------------------------------------------ rules, profile, its life

    @cached_property
    def _straight(self) -> dict[str, ASGIApp]:
        return straight(self.app, self.operations.values())

    @cached_property
    def _described(self) -> list[Operation]:
        return described(self.app, self.operations.values())

    def _as_rules_see_them(self) -> Iterator[Operation]:
        """Yield the operations, each with its fields, and whether the profile gives its work a time."""
        return (replace(operation, timed=self.work.timed(operation.name)) for operation in self._described)

    def read_profile(self, data: Any) -> Profile:
        """Return a profile: the name of one of this service's, or the profile itself.

        Raises:
            RulesInvalid: no such name, or a field of it is wrong.
        """
        return read_profile(data, self._profiles)

    def start_rules(self) -> None:
        """Load the rules and the profile of the settings, as at the start.

        Raises:
            RulesInvalid: with every error.
        """
        settings = self.settings
        profile = settings.sim_profile
        self.work.set_profile(self.read_profile(profile if profile.isidentifier() else read_yaml(profile)))
        self.rules.remove()
        self.rules.forget()
        if settings.sim_enabled and settings.sim_rules:
            self.rules.load(read_rules(read_yaml(settings.sim_rules)), time.time())

    async def reset(self) -> None:
        """Forget calls, jobs and rules, and begin again as at the start."""
        await self.jobs.close()
        self.ledger.clear()
        self.start_rules()
        self.rules_changed()

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Live as long as the server says, and the application within."""
        word = "startup"
        await receive()
        try:
            _ = self._straight  # of the application as it is before it comes to life
            self.start_rules()
            async with lifespan(self.app, scope.setdefault("state", {})):
                await send({"type": "lifespan.startup.complete"})
                await receive()
                word = "shutdown"
                await self.jobs.close()
        except Exception as error:
            await send({"type": f"lifespan.{word}.failed", "message": str(error)})
            raise
        await send({"type": "lifespan.shutdown.complete"})


def _nobodys(operation: Operation) -> Call:
    return Call("", operation, "", 0, None, 0.0, virtual=False, scale=1.0)
