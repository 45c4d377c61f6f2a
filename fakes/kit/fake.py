"""The fake itself: a FastAPI application whose operations follow rules, fill a ledger and keep the caller's time."""

import asyncio
import io
import math
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Annotated, Any, cast

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse
from PIL import Image
from pydantic import BaseModel
from starlette.types import Message, Receive, Scope, Send

from fakes.kit.bodies import fields, read
from fakes.kit.calls import Answer, Call, Headers, Operation
from fakes.kit.capacity import Full, Slots
from fakes.kit.delivery import Recorder, deliver, elapsed
from fakes.kit.digests import Listener
from fakes.kit.jobs import Jobs
from fakes.kit.ledger import Entry, Ledger
from fakes.kit.profiles import Profile, read_profile
from fakes.kit.rulebook import RuleBook
from fakes.kit.rules import RuleError, RulesInvalid, read_rules, read_yaml
from fakes.kit.settings import FakeSettings
from fakes.storage.store import BlobStore, derived, foreign, open_store

CALL = "fakes.call"
ENTRY = "fakes.entry"
"""The key in the ASGI scope of a call that `at_once` wrote down already."""
MEGAPIXEL = 1_000_000


def this_call(request: Request) -> Call:
    """Return the call that a handler answers."""
    return cast("Call", request.scope[CALL])


ThisCall = Annotated[Call, Depends(this_call)]
"""What a handler asks for to know its call."""


class Fake(FastAPI):
    """A fake service. Its operations are declared with `operation`, or with `fixed` when the answer never changes."""

    def __init__(self, service: str, settings: FakeSettings, *, pictures: bool = False, summary: str = "") -> None:
        """Make a fake without operations. With `pictures` it has a blob store while it runs.

        Raises:
            RulesInvalid: the rules or the profile of the settings are wrong, once `start_rules` loads them.
        """
        super().__init__(title=f"{service} (fake)", summary=summary or None, lifespan=self._running, version="1")
        self.service = service
        self.settings = settings
        self.operations: dict[str, Operation] = {}
        self.ledger = Ledger(settings.sim_ledger_size)
        self.rules = RuleBook(
            service,
            self._timed_operations,
            settings.sim_seed,
            keyed_refusal=settings.sim_clock == "caller",
        )
        self.jobs = Jobs(settings.sim_seed)
        self.profile = Profile()
        self.slots: Slots | None = None
        self.control_url: str | None = None
        self.rules_changed: Callable[[], None] = lambda: None
        """Set by the server, which closes and opens its listener by the rules."""
        self._wants_pictures = pictures
        self._store: BlobStore | None = None
        self._exact: dict[tuple[str, str], Operation] = {}
        self._prefixes: list[tuple[str, str, Operation]] = []
        self._fixed: dict[str, Answer] = {}
        self._at_once: dict[tuple[bytes, bytes], tuple[str, bytes]] = {}
        self.as_fastapi = super().__call__
        self._asgi = self.as_fastapi
        self.add_api_route("/", self._about, methods=["GET"], include_in_schema=False)
        self.add_exception_handler(ValueError, _unreadable)
        if settings.sim_enabled:
            from fakes.kit.control import control_plane  # noqa: PLC0415 - the control plane needs the fake's type

            self.include_router(control_plane(self))

    # ------------------------------------------------------------ what a service declares

    def operation(
        self,
        name: str,
        method: str,
        path: str,
        *,
        makes: str = "",
        job: str = "",
        works: bool = False,
        answers: type[BaseModel] | None = None,
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Declare an operation under the name that rules use. The model of its answer is its return type, or `answers`.

        A `{parameter}` may only end the path. With `works`, the handler calls `takes` or `submit`.
        """

        def declare(handler: Callable[..., Any]) -> Callable[..., Any]:
            taken = dict(handler.__annotations__)
            model = answers or taken["return"]
            taken.pop("return", None)
            requests = [kind for kind in taken.values() if isinstance(kind, type) and issubclass(kind, BaseModel)]
            asks = frozenset(name for request in requests for name in request.model_fields)
            self._add(Operation(name, makes, job, frozenset(model.model_fields), works, asks), method, path)
            self.add_api_route(path, handler, methods=[method], name=name, operation_id=name, response_model=model)
            return handler

        return declare

    def fixed(self, name: str, method: str, path: str, value: dict[str, Any]) -> None:
        """Declare an operation whose answer is always the same JSON object: the fastest one there is."""

        async def answer() -> dict[str, Any]:
            return value

        self._add(Operation(name, fields=frozenset(value)), method, path)
        fixed = self._fixed[name] = Answer.of_json(200, value)
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(fixed.body)
        self._at_once[method.encode(), path.encode()] = (name, head + fixed.body)
        self.add_api_route(path, answer, methods=[method], name=name, operation_id=name)

    # ------------------------------------------------------------ what a handler uses

    @property
    def store(self) -> BlobStore:
        """The blob store, while the fake runs."""
        if self._store is None:
            raise RuntimeError("the blob store is open only while the fake runs, and only with pictures=True")
        return self._store

    async def takes(self, call: Call, picture: bytes = b"") -> None:
        """Let the service time pass that the operation takes for that picture.

        Raises:
            HTTPException: 500 out of memory, 503 or 429 when all slots and the queue are full.
        """
        try:
            end = self._admit(call, picture)
        except OutOfMemoryError as error:
            raise HTTPException(500, str(error)) from error
        if call.virtual:
            call.elapsed += end - call.now
        else:
            pause = end - time.time()
            if call.entry is not None:
                call.entry.intended_s += max(0.0, pause)
            await asyncio.sleep(pause)

    async def submit(self, call: Call, uri: str, suffix: str, make: Callable[[bytes], bytes]) -> str:
        """Start a job that makes a picture from the blob at a URI, beside it under that suffix. Return its id."""
        try:
            source = await self.store.get(uri)
        except HTTPException as error:
            if error.status_code != 404:
                raise
            source = b""
        try:
            ready = self._admit(call, source)
        except OutOfMemoryError:
            source, ready = b"", call.now  # the job is accepted, and fails

        async def work() -> str:
            if not source:
                raise ValueError(f"no picture to work on: {uri}")
            made = await asyncio.to_thread(make, source)
            return await self.deliver(call, derived(uri, suffix), made, source)

        return self.jobs.submit(call, work, ready).id

    async def poll(self, call: Call, job_id: str, result: str) -> JSONResponse:
        """Return the state of a job as the caller sees it, with the URI of its result in that field.

        Raises:
            HTTPException: 404, there is no such job, or so it seems.
        """
        seen = await self.jobs.poll(call, job_id)
        uri = seen.result
        if seen.foreign and uri:
            uri = await self.store.put(foreign(uri, call.key), await self.store.get(uri))
        return JSONResponse({"status": seen.status} | ({result: uri} if uri else {}))

    async def deliver(self, call: Call, uri: str, made: bytes, source: bytes) -> str:
        """Write a picture that was made from its source, with the lies of the call's fault. Return its URI."""
        if call.hit is not None and call.hit.fault.foreign:
            uri = foreign(uri, call.key)
            call.hit.changed = True
        return await self.store.put(uri, self.lied(call, made, source))

    def lied(self, call: Call, made: bytes, source: bytes) -> bytes:
        """Return a picture that was made from its source with the lies of the call's fault."""
        if call.hit is None:
            return made
        told = call.hit.fault.picture(made, source)
        call.hit.changed |= told != made
        return told

    # ------------------------------------------------------------ one call

    def at_once(self, method: bytes, url: bytes, headers: Headers) -> bytes | Entry | None:
        """Return the whole response when it is fixed and nothing is to be done to it: the way without ASGI.

        None: not such a request. An entry of the ledger: the call was written down, and has a fault.
        """
        found = self._at_once.get((method, url))
        if found is None or not self.settings.sim_enabled or found[0] in self.profile.latency:
            return None
        key, attempt, at = "", None, time.time()
        for header, value in headers:
            if header == b"x-workflow-id":
                key = value.decode("latin-1")
            elif header == b"x-activity-attempt":
                attempt = int(value) if value.isdigit() else None
            elif header == b"x-sim-time":
                return None
        entry = self._enter(found[0], key, attempt, at, at)
        if self.rules.match(entry) is not None:
            return entry
        entry.status, entry.duration_s = 200, time.time() - at
        return found[1]

    def _enter(self, operation: str, key: str, attempt: int | None, at: float, now: float) -> Entry:
        number, since_first = self.rules.count(key, operation, now)
        entry = Entry(self.service, operation, key, number, attempt, at, now, since_first)
        self.ledger.add(entry)
        return entry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request: an operation by rules and with the ledger, all else as FastAPI does."""
        operation = self._find(scope) if scope["type"] == "http" else None
        if operation is None:
            await self._asgi(scope, receive, send)
            return
        call = scope[CALL] = self._open(operation, scope)
        if call is None:
            await JSONResponse({"detail": "X-Sim-Time is Unix seconds, as a number"}, 400)(scope, receive, send)
            return
        entry = call.entry
        if entry is None:
            await self._serve(call, scope, receive, send)
            return
        started = time.perf_counter()
        receive = await self._match(call, entry, receive)
        listener = None
        if operation.name not in self._fixed:  # a fixed answer is known, and nothing is sent for it
            listener = Listener(scope, receive, send)
            receive, send = listener.receive, listener.send
        try:
            await self._serve(call, scope, receive, send)
        finally:
            if listener is not None:
                entry.sent, entry.answered = listener.sent, listener.answered
            if not call.virtual:
                entry.duration_s = time.perf_counter() - started
            elif math.isfinite(call.elapsed):
                entry.duration_s = call.elapsed
            if call.hit is not None and not call.hit.carried:
                call.hit.close()

    async def _serve(self, call: Call, scope: Scope, receive: Receive, send: Send) -> None:
        fault, name = call.fault, call.operation.name
        if fault is not None:
            answer = await fault.before(call)
            if answer is not None:
                await deliver(self.dressed(answer, call), call, scope, receive, send)
                return
        latency = None if call.operation.works else self.profile.latency.get(name)
        if latency is not None:
            await call.wait(latency.at(call.draw("latency")))
        fixed = self._fixed.get(name)
        if fault is None or not fault.changes_answer:
            if fixed is not None:
                await self._send_fixed(fixed, call, send)
                return
            await self._asgi(scope, receive, _Stamp(call, send))
            return
        recorder = Recorder()
        await self._asgi(scope, receive, recorder)
        answer = recorder.answer()
        changed = fault.after(call, answer) if answer.status < 300 or fault.family == "http" else None
        if changed is not None:
            call.acts()
        await deliver(changed or answer, call, scope, receive, send)

    @staticmethod
    async def _send_fixed(fixed: Answer, call: Call, send: Send) -> None:
        if call.entry is not None:
            call.entry.status = fixed.status
        headers = [*fixed.headers, (b"content-length", b"%d" % len(fixed.body)), *elapsed(call)]
        await send({"type": "http.response.start", "status": fixed.status, "headers": headers})
        await send({"type": "http.response.body", "body": fixed.body})

    def _open(self, operation: Operation, scope: Scope) -> Call | None:
        """Return the call with its number, its entry in the ledger and its fault; None when its time is unreadable."""
        at = time.time()
        key, attempt, now, virtual = "", None, at, False
        for name, value in scope["headers"]:
            if name == b"x-workflow-id":
                key = value.decode("latin-1")
            elif name == b"x-activity-attempt" and value.isdigit():
                attempt = int(value)
            elif name == b"x-sim-time" and self.settings.sim_enabled:
                try:
                    now, virtual = float(value), True
                except ValueError:
                    return None
                if not math.isfinite(now):
                    return None
        key = key or self.key_of(scope)
        scale, seed = self.settings.fakes_time_scale, self.settings.sim_seed
        if not self.settings.sim_enabled:
            number, _ = self.rules.count(key, operation.name, now)
            return Call(self.service, operation, key, number, attempt, now, virtual, scale, seed)
        entry = scope.get(ENTRY)
        if entry is None:
            entry = self._enter(operation.name, key, attempt, at, now)
        return Call(
            self.service, operation, key, entry.call, attempt, now, virtual, scale, seed, entry=entry, hit=entry.hit
        )

    async def _match(self, call: Call, entry: Entry, receive: Receive) -> Receive:
        """Have a call meet its rule. Return where its body comes from: rules may have read it."""
        if call.hit is None:  # else it was matched on its way to `at_once`
            names = self.rules.body_fields.get(entry.operation)
            if names:
                body, receive = await read(receive)
                entry.asked = fields(body, names)
            call.hit = self.rules.match(entry)
        return receive

    def key_of(self, scope: Scope) -> str:
        """Return the key of a call without X-Workflow-Id: that of the job that it polls, else none."""
        job = self.jobs.get(scope["path"].rpartition("/")[2])
        return job.key if job else ""

    def dressed(self, answer: Answer, call: Call) -> Answer:  # noqa: ARG002 - for services with errors of their own form
        """Return an answer of a fault in the form of this service."""
        return answer

    def _find(self, scope: Scope) -> Operation | None:
        method, path = scope["method"], scope["path"]
        found = self._exact.get((method, path))
        if found is None:
            for wanted, prefix, operation in self._prefixes:
                if method == wanted and path.startswith(prefix) and "/" not in path[len(prefix) :]:
                    return operation
        return found

    def _add(self, operation: Operation, method: str, path: str) -> None:
        self.operations[operation.name] = operation
        prefix, brace, _ = path.partition("{")
        if brace:
            self._prefixes.append((method, prefix, operation))
        else:
            self._exact[method, path] = operation

    def _timed_operations(self) -> Iterator[Operation]:
        """Yield the operations, each with whether the profile gives its work a time."""
        profile = self.profile
        grows = profile.seconds_per_megapixel > 0 or (profile.capacity and profile.capacity.cold_start)
        for name, operation in self.operations.items():
            latency = profile.latency.get(name)
            yield replace(operation, timed=bool(grows or (latency and latency.fixed != 0)))

    def _admit(self, call: Call, picture: bytes) -> float:
        """Return when the work of a call ends, by the caller's clock."""
        size = _megapixels(picture)
        limit = self.profile.out_of_memory_megapixels
        if limit is not None and size > limit:
            raise OutOfMemoryError(f"CUDA out of memory: {size:.1f} megapixels, {limit:g} fit")
        latency = self.profile.latency.get(call.operation.name)
        service = latency.at(call.draw("latency")) if latency else 0.0
        service += self.profile.seconds_per_megapixel * size
        if call.virtual or self.slots is None:
            return call.later(service)
        model = self.slots.model
        cold = model.cold_start.at(call.draw("cold start")) if model.cold_start else 0.0
        try:
            return self.slots.admit(time.time(), service * call.scale, cold * call.scale, call.scale)
        except Full as full:
            raise HTTPException(
                int(model.when_full), "all slots are busy", {"Retry-After": f"{model.retry_after:g}"}
            ) from full

    # ------------------------------------------------------------ its life

    def start_rules(self) -> None:
        """Load the rules and the profile of the settings, as at the start.

        Raises:
            RulesInvalid: with every error.
        """
        settings = self.settings
        profile = settings.sim_profile
        self.set_profile(read_profile(profile if profile.isidentifier() else read_yaml(profile), self.service))
        self.rules.remove()
        self.rules.forget()
        if settings.sim_enabled and settings.sim_rules:
            self.rules.load(read_rules(read_yaml(settings.sim_rules)), time.time())

    def set_profile(self, profile: Profile) -> None:
        """Take another profile, with all slots free.

        Raises:
            RulesInvalid: it gives a latency to an operation that this service does not have.
        """
        known = ", ".join(self.operations)
        unknown = [name for name in profile.latency if name not in self.operations]
        if unknown:
            raise RulesInvalid(
                [
                    RuleError(
                        rule="profile", field=f"latency.{name}", message=f"{self.service} has no {name!r}, only {known}"
                    )
                    for name in unknown
                ]
            )
        self.profile = profile
        self.slots = Slots(profile.capacity) if profile.capacity else None

    async def reset(self) -> None:
        """Forget calls, jobs and rules, and begin again as at the start."""
        await self.jobs.close()
        self.ledger.clear()
        self.start_rules()
        self.rules_changed()

    async def start(self, stack: AsyncExitStack) -> None:
        """Open what the fake needs, until the stack closes.

        Raises:
            ValueError: a setting is missing.
        """
        if self._wants_pictures:
            self._store = await stack.enter_async_context(open_store(self.settings))

    @asynccontextmanager
    async def _running(self, _: FastAPI) -> AsyncIterator[None]:
        self.start_rules()
        async with AsyncExitStack() as stack:
            await self.start(stack)
            stack.push_async_callback(self.jobs.close)
            yield

    async def _about(self) -> dict[str, Any]:
        return {"service": self.service, "fake": True}


class OutOfMemoryError(MemoryError):
    """The picture does not fit the model's memory."""


class _Stamp:
    """A `send` that writes the status into the ledger, and what the call took into the answer."""

    def __init__(self, call: Call, send: Send) -> None:
        self._call = call
        self._send = send

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            call = self._call
            if call.entry is not None:
                call.entry.status = message["status"]
            if call.virtual:
                message["headers"] = [*message["headers"], *elapsed(call)]
        await self._send(message)


async def _unreadable(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": f"the picture cannot be used: {error}"}, 422)


def _megapixels(picture: bytes) -> float:
    if not picture:
        return 0.0
    try:
        with Image.open(io.BytesIO(picture)) as opened:
            return opened.width * opened.height / MEGAPIXEL
    except (OSError, Image.DecompressionBombError):
        return 0.0
