"""Activities as people write them: not a word about simulation."""

import asyncio
import threading
import time
from typing import Any

import aiohttp
import anyio
import httpx
import tenacity
from temporalio import activity
from temporalio.exceptions import ApplicationError, CancelledError


class Clients:
    """What a worker's activities share."""

    url = ""
    http: httpx.AsyncClient
    """Through the simulation's transport."""
    plain: httpx.AsyncClient
    """As httpx makes it."""


def now() -> float:
    return asyncio.get_running_loop().time()


@activity.defn
async def sleeps(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "slept"


@activity.defn
async def polls(seconds: float) -> int:
    job = (await Clients.http.post("/jobs", params={"seconds": seconds})).json()["job"]
    for polled in range(60):
        activity.heartbeat(job)
        if (await Clients.http.get(f"/jobs/{job}")).json()["done"]:
            return polled
        await asyncio.sleep(2)
    raise ApplicationError("the job is not done after 120 s", type="JobTimeout")


@activity.defn
async def calls_again_and_again(later: float) -> int:
    await asyncio.sleep(later)
    return len([await Clients.http.get("/slow?seconds=0") for _ in range(30)])


@activity.defn
async def through_a_semaphore() -> list[float]:
    gate, ends, began = asyncio.Semaphore(1), list[float](), now()

    async def one() -> None:
        async with gate:
            await asyncio.sleep(10)
            ends.append(round(now() - began, 1))

    async with asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(one())
    return ends


@activity.defn
async def behind_a_lock() -> list[str]:
    lock, order = asyncio.Lock(), list[str]()

    async def one(name: str, arrives: float) -> None:
        await asyncio.sleep(arrives)
        async with lock:
            await asyncio.sleep(5)
            order.append(name)

    await asyncio.gather(one("last", 7), one("first", 1), one("second", 2))
    return order


@activity.defn
async def races() -> str:
    tasks = {asyncio.create_task(asyncio.sleep(30, "slow")), asyncio.create_task(asyncio.sleep(12, "fast"))}
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for each in pending:
        each.cancel()
    return done.pop().result()


@activity.defn
async def gives_up() -> str:
    try:
        await asyncio.wait_for(Clients.http.get("/slow?seconds=37", timeout=60), 5)
    except TimeoutError:
        return "TimeoutError"
    return "answered"


@activity.defn
async def two_timeouts(read: float, whole: float) -> str:
    try:
        async with asyncio.timeout(whole):
            await Clients.http.get("/slow?seconds=inf", timeout=read)
    except httpx.ReadTimeout:
        return "ReadTimeout"
    except TimeoutError:
        return "TimeoutError"
    return "answered"


@activity.defn
async def hedges() -> list[str]:
    """A second call after 10 s of silence; the first to answer wins."""
    said = []
    first = asyncio.create_task(Clients.http.get("/slow?seconds=inf", timeout=25))
    second = None
    try:
        await asyncio.wait_for(asyncio.shield(first), 10)
    except TimeoutError:
        second = asyncio.create_task(Clients.http.get("/slow?seconds=20", timeout=25))
        done, _ = await asyncio.wait({first, second}, return_when=asyncio.FIRST_COMPLETED)
        said.append("the first ends" if first in done else "the second ends")
        try:
            await first
        except httpx.ReadTimeout:
            said.append("ReadTimeout")
        await second
        said.append("the second wins")
    return said


@activity.defn
async def through_a_queue() -> list[float]:
    line: asyncio.Queue[int] = asyncio.Queue(maxsize=2)
    taken, began = list[float](), now()

    async def produce() -> None:
        for number in range(5):
            await asyncio.sleep(1)
            await line.put(number)

    async def consume() -> None:
        for _ in range(5):
            await line.get()
            taken.append(round(now() - began, 1))
            await asyncio.sleep(3)

    await asyncio.gather(produce(), consume())
    return taken


@activity.defn
async def with_anyio() -> str:
    with anyio.move_on_after(7):
        await anyio.sleep(100)
    async with anyio.create_task_group() as group:
        group.start_soon(anyio.sleep, 4)
        group.start_soon(anyio.sleep, 5)
    try:
        with anyio.fail_after(3):
            await anyio.Event().wait()
    except TimeoutError:
        return "TimeoutError"
    return "?"


@activity.defn
async def with_tenacity() -> int:
    calls = 0

    @tenacity.retry(wait=tenacity.wait_exponential(multiplier=1, max=60), stop=tenacity.stop_after_attempt(6))
    async def call() -> int:
        nonlocal calls
        calls += 1
        if calls < 6:
            raise OSError("again")
        return calls

    return await call()


@activity.defn
async def beats_beside(seconds: float) -> str:
    async def beat() -> None:
        while True:
            await asyncio.sleep(10)
            activity.heartbeat("alive")

    beating = asyncio.create_task(beat())
    try:
        await asyncio.sleep(seconds)
    finally:
        beating.cancel()
    return "done"


@activity.defn
async def falls_silent() -> str:
    seen = activity.info().heartbeat_details
    if seen:
        return f"resumed at page {seen[0]}"
    await asyncio.sleep(5)
    activity.heartbeat(7)
    await asyncio.sleep(1000)
    return "never"


@activity.defn
async def beats_then_hangs() -> str:
    activity.heartbeat("page 3")
    await asyncio.Event().wait()
    return "never"


@activity.defn
async def counts(seconds: float, then: str) -> Any:
    """Beat each second and a half with the seconds so far; the next attempt says what it knows of them."""
    if activity.info().attempt > 1:
        return list(activity.info().heartbeat_details)
    counted = 0.0
    while counted < seconds:
        await asyncio.sleep(1.5)
        counted += 1.5
        activity.heartbeat(counted)
    if then == "fails":
        raise ApplicationError("no", type="Nope")
    return await asyncio.Event().wait()


OUTLIVED: dict[str, list[Any]] = {}


def _outlived(seconds: float) -> None:
    why = activity.cancellation_details()
    OUTLIVED[activity.info().workflow_id or ""] = [
        round(seconds, 1),
        why and why.not_found,
        why and why.timed_out,
        activity.is_cancelled(),
    ]


@activity.defn
async def outlives(every: float, beating: bool) -> None:
    """Go on until the SDK says that nobody waits for it."""
    begun = now()
    try:
        while True:
            await asyncio.sleep(every)
            if beating:
                activity.heartbeat()
    except asyncio.CancelledError:
        _outlived(now() - begun)
        raise


@activity.defn
def fails_in_a_thread() -> None:
    raise ApplicationError("no", type="Nope")


THREADS: dict[str, threading.Event] = {}


@activity.defn
def stays_in_a_thread() -> None:
    """Sleep until it is cancelled, and say so to who waits in real time."""
    ended = THREADS.setdefault(activity.info().workflow_id or "", threading.Event())
    try:
        while True:
            time.sleep(1)
    except CancelledError:
        ended.set()
        raise


@activity.defn
def outlives_in_a_thread() -> None:
    begun = time.monotonic()
    try:
        while True:
            time.sleep(1)
    except CancelledError:
        _outlived(time.monotonic() - begun)
        raise


@activity.defn
async def cleans_up_slowly(beating: bool) -> None:
    """Note each time that it is cancelled; once it has been it goes on for ten seconds, and may beat."""
    begun = now()
    heard: list[list[Any]] = []
    OUTLIVED[activity.info().workflow_id or ""] = heard
    left = 100
    while left:
        try:
            await asyncio.sleep(1)
        except asyncio.CancelledError:
            why = activity.cancellation_details()
            heard.append([round(now() - begun, 1), why and why.cancel_requested, why and why.timed_out])
            left = min(left, 11)
        left -= 1
        if beating:
            activity.heartbeat()


@activity.defn
def cleans_up_in_a_thread() -> None:
    """Beat, and note each time that it is cancelled; once it has been it goes on for twelve seconds."""
    heard: list[list[Any]] = []
    OUTLIVED[activity.info().workflow_id or ""] = heard
    left = 100
    while left:
        try:
            time.sleep(1)
            activity.heartbeat()
        except CancelledError:
            why = activity.cancellation_details()
            heard.append([why and why.cancel_requested, why and why.timed_out])
            left = min(left, 13)
        left -= 1


@activity.defn
async def what_outlived() -> list[Any]:
    return OUTLIVED.pop(activity.info().workflow_id or "", ["nothing"])


@activity.defn
async def hangs() -> str:
    await asyncio.Event().wait()
    return "never"


@activity.defn
async def fails(times: int, seconds: float) -> str:
    await asyncio.sleep(seconds)
    if activity.info().attempt <= times:
        raise ApplicationError("no", type="Nope")
    return "done"


@activity.defn
async def fails_for_good() -> str:
    raise ApplicationError("never", "why", type="Final", non_retryable=True)


@activity.defn
async def beats(seconds: float) -> str:
    try:
        end = now() + seconds
        while now() < end:
            await asyncio.sleep(1)
            activity.heartbeat()
    except asyncio.CancelledError:
        activity.logger.debug("cancelled")
        await asyncio.sleep(2)  # it cleans up
        raise
    return "done"


@activity.defn
async def breaks_when_cancelled() -> str:
    try:
        await beats_beside(100)
    except asyncio.CancelledError:
        await asyncio.sleep(2)
        raise ApplicationError("cannot clean up", type="Nope") from None
    return "done"


@activity.defn
async def ticks(seconds: int) -> None:
    for second in range(seconds):
        activity.heartbeat(second)
        await asyncio.sleep(1)


@activity.defn
def sleeps_in_a_thread(seconds: float) -> float:
    begun = time.monotonic()
    for _ in range(3):
        time.sleep(seconds / 3)
        activity.heartbeat()
    return round(time.monotonic() - begun, 3)


@activity.defn
async def works_in_a_thread() -> float:
    began = now()
    async with asyncio.timeout(1):  # real work takes no virtual time
        await asyncio.to_thread(threading.Event().wait, 0.05)
    return now() - began


@activity.defn
async def runs_a_process() -> list[Any]:
    async with asyncio.timeout(1):
        process = await asyncio.create_subprocess_exec("sleep", "0.1")
        code = await process.wait()
    return [code, now()]


@activity.defn
async def reads_streams() -> int:
    host, port = Clients.url.removeprefix("http://").split(":")
    async with asyncio.timeout(30):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"GET /really/0.2 HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        body = await reader.read()
    writer.close()
    await asyncio.sleep(10)
    return len(body)


@activity.defn
async def calls_plainly() -> list[int]:
    sizes = []
    for _ in range(3):
        sizes.append(len((await Clients.plain.get("/really/0.05", timeout=5)).content))
        await asyncio.sleep(10)
    sent = await Clients.plain.post("/take", content=b"x" * 5_000_000, timeout=5)
    return [*sizes, sent.json()["bytes"]]


@activity.defn
async def calls_with_aiohttp() -> list[int]:
    sizes = []
    async with aiohttp.ClientSession(Clients.url, timeout=aiohttp.ClientTimeout(total=20)) as session:
        for _ in range(3):
            async with session.get("/really/0.05") as response:
                sizes.append(len(await response.read()))
            await asyncio.sleep(10)
    return sizes


@activity.defn
async def completes_elsewhere() -> str:
    activity.raise_complete_async()


TWO = asyncio.Semaphore(2)
ONE = asyncio.Lock()


@activity.defn
async def shares(seconds: float) -> None:
    async with TWO:
        async with ONE:
            await asyncio.to_thread(threading.Event().wait, 0.01)
        async with asyncio.timeout(seconds + 1):
            await asyncio.sleep(seconds)


@activity.defn
async def asks(url: str) -> int:
    async with httpx.AsyncClient() as client:
        return (await client.get(url, timeout=60)).status_code


@activity.defn
def stops_at_a_breakpoint(seconds: float) -> str:
    """As a thread that stands in a debugger: in a frame of its module."""
    exec("event.wait(seconds)", {"__name__": "pdb", "event": threading.Event(), "seconds": seconds})
    return "went on"


ALL = [value for value in list(globals().values()) if hasattr(value, "__temporal_activity_definition")]
