"""The event loop: tasks of stories live in virtual time, all others in real time.

`time`, `call_later` and `call_at` belong to the story in whose context they are called, so that asyncio.sleep, timeout,
wait_for and all that is made of them (anyio, httpx, tenacity) are virtual there.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import Context
from typing import Any, TypeVar

from .connections import CountedConnection
from .internals import TurningLoop
from .shared import divide
from .story import Story, current

T = TypeVar("T")


class VirtualLoop(TurningLoop):
    """An event loop for stories. Use: `asyncio.Runner(loop_factory=VirtualLoop)`."""

    def __init__(self) -> None:
        self.stories: set[Story] = set()
        divide()
        super().__init__()
        self.set_default_executor(ThreadPoolExecutor(thread_name_prefix="asyncio"))

    # ---------------------------------------------------------------- time
    def time(self) -> float:
        """Return the time of the caller's story, or the real time outside all."""
        story = current.get()
        return story.now if story else self.real_time()

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Set a timer of the story whose context it is."""
        story = context.get(current) if context else current.get()
        now = story.now if story else self.real_time()
        return self.call_at(now + delay, callback, *args, context=context)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Set a timer of the story whose context it is."""
        story = context.get(current) if context else current.get()
        if story and story.over and asyncio.current_task(self) is None:
            # A library's housekeeping, as of a pool of connections, which outlives the story that used it first.
            # It sets itself anew for ever, and at no expense in virtual time.
            return super().call_at(self.real_time() + when - story.now, callback, *args, context=Context())
        if story:
            return story.call_at(when, callback, *args, context=context)
        return super().call_at(when, callback, *args, context=context)

    def begin_turn(self) -> None:
        """Let each story that has nothing ready to run go on."""
        if self.stories:
            at_work = {context.get(current) for context in self.contexts_ready()}
            for story in [each for each in self.stories if each not in at_work]:
                story.advance()

    # ---------------------------------------------------------------- real I/O, as far as a loop can see it
    def watch(self, sock: Any, protocol: Any, waiter: Any, extra: Any, server: Any) -> Any:
        """Count what stories wait for on a connection.

        It may outlive the story that opens it, and serve others: what its protocol does with data belongs to none.
        """
        return Context().run(CountedConnection, self, sock, protocol, waiter, extra, server)

    def run_in_executor(self, executor: Any, func: Callable[..., T], *args: Any) -> "asyncio.Future[T]":  # type: ignore[override]
        """Count a thread as real I/O of the story that it works for, until it is done: nobody can stop one."""
        story = current.get()
        if story is None:
            return super().run_in_executor(executor, func, *args)
        running = (executor or self._pool).submit(func, *args)
        future = asyncio.wrap_future(running, loop=self)
        story.threads[running] = f"a thread that runs {_named(func, args)}"

        def over(_: object = None) -> None:
            if future.done():
                story.threads.pop(running, None)
                story.beat()
            else:  # its result is on its way: what waits for it goes on before time does
                future.add_done_callback(over)

        def done(_: object) -> None:
            with suppress(RuntimeError):  # the loop is closed
                self.call_soon_threadsafe(over)

        running.add_done_callback(done)
        return future

    def set_default_executor(self, executor: Any) -> None:
        """Set the threads for what names none."""
        super().set_default_executor(executor)
        self._pool = executor

    async def create_connection(self, protocol_factory: Any, host: Any = None, port: Any = None, **options: Any) -> Any:
        """Count opening a connection, TLS and all."""
        with real_io(f"a connection to {host}:{port}" if host else "a connection"):
            return await super().create_connection(protocol_factory, host, port, **options)

    async def create_unix_connection(self, protocol_factory: Any, path: Any = None, **options: Any) -> Any:
        """Count opening a connection."""
        with real_io(f"a connection to {path}"):
            return await super().create_unix_connection(protocol_factory, path, **options)

    async def sock_connect(self, sock: Any, address: Any) -> None:
        """Count connecting."""
        with real_io(f"a connection to {_spelt(address)}"):
            await super().sock_connect(sock, address)

    async def sock_recv(self, sock: Any, nbytes: int) -> bytes:
        """Count receiving."""
        with real_io("data on a socket"):
            return await super().sock_recv(sock, nbytes)

    async def sock_recv_into(self, sock: Any, buf: Any) -> int:
        """Count receiving."""
        with real_io("data on a socket"):
            return await super().sock_recv_into(sock, buf)

    async def sock_sendall(self, sock: Any, data: Any) -> None:
        """Count sending."""
        with real_io("a socket to take data"):
            await super().sock_sendall(sock, data)

    async def subprocess_exec(self, protocol_factory: Any, *args: Any, **options: Any) -> Any:
        """Count a process from its start to its end."""
        return await self._counted_process(super().subprocess_exec(protocol_factory, *args, **options), args[0])

    async def subprocess_shell(self, protocol_factory: Any, cmd: Any, **options: Any) -> Any:
        """Count a process from its start to its end."""
        return await self._counted_process(super().subprocess_shell(protocol_factory, cmd, **options), cmd)

    @staticmethod
    async def _counted_process(start: Coroutine[Any, Any, Any], name: object) -> Any:
        story = current.get()
        if story is None:
            return await start
        counted = story.real_io(f"the process {name!s}")
        counted.__enter__()
        try:
            transport, protocol = await start
        except BaseException:
            counted.__exit__(None, None, None)
            raise
        exited = protocol.process_exited

        def over() -> None:
            counted.__exit__(None, None, None)
            exited()

        if transport.get_returncode() is None:
            protocol.process_exited = over
        else:
            counted.__exit__(None, None, None)
        return transport, protocol


def in_real_time(work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
    """Start a task that belongs to no story."""
    return asyncio.get_running_loop().create_task(work, context=Context())


@contextmanager
def real_io(what: str) -> Iterator[None]:
    """Count what runs inside as real I/O of the current story: no virtual time passes. For what no loop can see.

    Args:
        what: its name, where an error says what a story waits for.
    """
    story = current.get()
    if story is None:
        yield
        return
    with story.real_io(what):
        yield


async def counted_chunks(chunks: AsyncIterator[T], what: str) -> AsyncIterator[T]:
    """Yield from an asynchronous iterator, and count the waits for its items as real I/O."""
    while True:
        with real_io(what):
            try:
                chunk = await anext(chunks)
            except StopAsyncIteration:
                return
        yield chunk


def _named(func: object, args: tuple[Any, ...]) -> str:
    """Return the name of what a thread runs: the SDK and asyncio wrap it in `Context.run`."""
    for each in (func, *getattr(func, "args", ()), *args):
        name = getattr(each, "__qualname__", "")
        if name and name not in ("Context.run", "_execute_sync_activity"):
            return str(name)
    return "a function"


def _spelt(address: object) -> str:
    return f"{address[0]}:{address[1]}" if isinstance(address, tuple) else str(address)
