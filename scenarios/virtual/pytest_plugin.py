"""The pytest plugin: whoever says which workflows and activities there are gets them in virtual time.

    # conftest.py
    @pytest.fixture
    def virtual_worker():
        return {"task_queue": "q", "workflows": [Order], "activities": [charge, ship]}

    # test_order.py
    async def test_an_order_is_charged(virtual):
        await virtual.client.execute_workflow(Order.run, id="order-1", task_queue="q")
        assert [each.began for each in virtual.story("order-1").attempts("charge")] == [0, 2, 6]

A coroutine test that asks for `virtual` runs on its loop, with and without other plugins for asyncio; a plain one says
`virtual.loop.run_until_complete(...)`. One server for a run, one worker for a test.
"""

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.worker import Worker

from .loop import VirtualLoop
from .plugin import VirtualTime
from .server import virtual_server
from .transport import httpx_in_virtual_time

MakeWorker = Callable[[Client], AbstractAsyncContextManager[Any]]


@pytest.fixture
def virtual_worker() -> Mapping[str, Any] | MakeWorker:
    """Which worker the tests have: its options, or a function that makes one of a client.

    Raises:
        pytest.UsageError: a suite has to say it.
    """
    raise pytest.UsageError(
        "the fixture `virtual` needs to know the worker: define a fixture `virtual_worker` in a conftest.py that "
        'returns its options, as {"task_queue": "q", "workflows": [Order], "activities": [charge]}'
    )


@pytest.fixture(scope="session")
def virtual_loop_runner() -> Iterator[asyncio.Runner]:
    """The event loop of all tests in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        yield runner


@pytest.fixture(scope="session")
def virtual_address(virtual_loop_runner: asyncio.Runner) -> Iterator[str]:
    """The address of a Temporal server of the run's own. Override it to use another."""
    stack = AsyncExitStack()
    yield virtual_loop_runner.run(_entered(stack, virtual_server()))
    virtual_loop_runner.run(stack.aclose())


@pytest.fixture
def virtual_client(virtual_address: str) -> Mapping[str, Any]:
    """What `Client.connect` is called with. Override it for a data converter, a namespace or interceptors."""
    return {"target_host": virtual_address}


@pytest.fixture
def virtual(
    virtual_loop_runner: asyncio.Runner,
    virtual_client: Mapping[str, Any],
    virtual_worker: Mapping[str, Any] | MakeWorker,
) -> Iterator[VirtualTime]:
    """Virtual time, with a worker that serves its task queue until the test is over. Its client is `virtual.client`."""
    stack = AsyncExitStack()
    time = VirtualTime()
    virtual_loop_runner.run(_entered(stack, _working(time, virtual_client, virtual_worker)))
    yield time
    virtual_loop_runner.run(stack.aclose())


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a coroutine test that asks for `virtual` on its loop, whatever else would run it."""
    test = inspect.unwrap(pyfuncitem.obj)  # another plugin may have made it a plain function
    time = pyfuncitem.funcargs.get("virtual")
    if not isinstance(time, VirtualTime) or not inspect.iscoroutinefunction(test):
        return None
    names = pyfuncitem._fixtureinfo.argnames  # noqa: SLF001 - there is no public way
    arguments = {name: pyfuncitem.funcargs[name] for name in names}
    time.loop.run_until_complete(test(**arguments))
    return True


async def _entered(stack: AsyncExitStack, part: AbstractAsyncContextManager[Any]) -> Any:
    return await stack.enter_async_context(part)


@asynccontextmanager
async def _working(
    time: VirtualTime, client_options: Mapping[str, Any], worker: Mapping[str, Any] | MakeWorker
) -> AsyncIterator[None]:
    options = {**client_options, "plugins": [time, *client_options.get("plugins", ())]}
    client = await Client.connect(**options)
    serves = worker(client) if callable(worker) else Worker(client, **worker)
    with httpx_in_virtual_time():
        async with serves:
            yield
