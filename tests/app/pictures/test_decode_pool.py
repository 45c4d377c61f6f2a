"""So many pixels at once, first come first served; nothing of it is held while Azure is waited for."""

import asyncio
import io
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress

import pytest
from PIL import Image
from pybase64 import b64encode
from temporalio.testing import ActivityEnvironment

from app.attempts.attempt import Attempt
from app.attempts.heartbeat import heartbeats
from app.errors.services import A100_ERRORS
from app.pictures import result_checks
from app.pictures.decode_pool import DecodePool
from app.pipeline.models import Picture, UploadRequest
from app.pipeline.policies import GENERATE
from app.services.assembly import Assembly
from app.settings import Settings

MEGAPIXEL = 1_000_000


class Work:
    """Pictures that are worked on until somebody opens the door."""

    def __init__(self) -> None:
        self.door = threading.Event()
        self.now: list[str] = []
        self.begun: list[str] = []
        self._guard = threading.Lock()

    def __call__(self, name: str) -> str:
        with self._guard:
            self.now.append(name)
            self.begun.append(name)
        assert self.door.wait(20)
        with self._guard:
            self.now.remove(name)
        return name


@pytest.fixture
def work() -> Iterator[Work]:
    one = Work()
    yield one
    one.door.set()


async def until_begun(work: Work, *names: str) -> None:
    async with asyncio.timeout(10):
        while sorted(work.begun) != sorted(names):  # noqa: ASYNC110 - what a thread does sets no event of the loop
            await asyncio.sleep(0.005)


async def settled() -> None:
    """Let everything go on that can."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_as_many_pixels_at_once_as_there_are_slots(work: Work) -> None:
    room = DecodePool(2, files=1)
    tasks = [asyncio.create_task(room.work(12 * MEGAPIXEL, work, name)) for name in "abc"]
    await until_begun(work, "a", "b")
    await settled()
    assert work.begun == ["a", "b"]
    work.door.set()
    assert await asyncio.gather(*tasks) == ["a", "b", "c"]


async def test_one_larger_than_all_slots_is_alone_and_is_not_overtaken(work: Work) -> None:
    room = DecodePool(2, files=1)
    first = asyncio.create_task(room.work(1, work, "small"))
    await until_begun(work, "small")
    large = asyncio.create_task(room.work(48 * MEGAPIXEL, work, "large"))
    await settled()
    later = asyncio.create_task(room.work(1, work, "later"))
    await settled()
    assert work.begun == ["small"]
    work.door.set()
    await asyncio.gather(first, large, later)
    assert work.begun == ["small", "large", "later"]


async def test_a_thread_that_nobody_waits_for_any_more_keeps_its_room(work: Work) -> None:
    room = DecodePool(1, files=1)
    left = asyncio.create_task(room.work(12 * MEGAPIXEL, work, "left"))
    await until_begun(work, "left")
    left.cancel()
    with pytest.raises(asyncio.CancelledError):
        await left
    after = asyncio.create_task(room.work(1, work, "after"))
    await settled()
    assert work.now == ["left"]
    work.door.set()
    await after
    assert work.begun == ["left", "after"]


async def test_who_is_cancelled_in_the_queue_leaves_no_hole(work: Work) -> None:
    room = DecodePool(1, files=1)
    first = asyncio.create_task(room.work(6 * MEGAPIXEL, work, "first"))
    await until_begun(work, "first")
    waiting = [asyncio.create_task(room.work(12 * MEGAPIXEL, work, "never")) for _ in range(3)]
    await settled()
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    second = asyncio.create_task(room.work(6 * MEGAPIXEL, work, "second"))
    await until_begun(work, "first", "second")
    work.door.set()
    await asyncio.gather(first, second)
    assert await room.work(12 * MEGAPIXEL, work, "all") == "all"


async def test_a_failure_is_the_callers_and_gives_the_room_back() -> None:
    room = DecodePool(1, files=1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            await room.work(12 * MEGAPIXEL, lambda: 1 // 0)


def jpeg(size: tuple[int, int], shade: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, shade).save(out, "JPEG")
    return out.getvalue()


class SlowStore:
    """Every read is a photo of 12 megapixels; what is written is taken and never answered."""

    def __init__(self) -> None:
        self.url = ""
        self.written: list[str] = []
        self.arrived = asyncio.Condition()
        self._photo = jpeg((4000, 3000), "navy")

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                method, path, _ = head.split(" ", 2)
                if method == "PUT":
                    length = int(head.lower().partition("content-length:")[2].split("\r\n")[0])
                    await reader.readexactly(length)
                    async with self.arrived:
                        self.written.append(path.partition("?")[0].rpartition("/")[2])
                        self.arrived.notify_all()
                    await reader.read()  # until the caller gives up
                    break
                lines = [
                    "HTTP/1.1 206 Partial Content",
                    f"Content-Length: {len(self._photo)}",
                    "x-ms-blob-type: BlockBlob",
                ]
                lines += [f"Content-Range: bytes 0-{len(self._photo) - 1}/{len(self._photo)}", 'ETag: "1"', "", ""]
                writer.write("\r\n".join(lines).encode() + self._photo)
                await writer.drain()
        writer.close()

    async def until_written(self, number: int) -> None:
        async with asyncio.timeout(20), self.arrived:
            await self.arrived.wait_for(lambda: len(self.written) >= number)


@asynccontextmanager
async def slow_store() -> AsyncIterator[SlowStore]:
    store = SlowStore()
    server = await asyncio.start_server(store.serve, "127.0.0.1", 0)
    store.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/account"
    try:
        yield store
    finally:
        server.close()
        await server.wait_closed()


async def test_neither_other_photos_nor_a_gpus_results_wait_while_azure_is_waited_for() -> None:
    async with slow_store() as store:
        settings = Settings.model_validate(
            {"azure_account_name": "account", "azure_account_key": "c2VjcmV0", "a100_urls": "http://127.0.0.1:9"}
            | dict.fromkeys(("image_manipulator_url", "birefnet_url", "sam3_url"), "http://127.0.0.1:9")
            | {"azure_blob_endpoint": store.url, "picture_slots": 1}
        )
        assembly = Assembly(settings)
        activities = assembly.activities

        async def upload() -> Picture:
            async with heartbeats():
                return await activities.upload_to_azure(UploadRequest(image="azure://jewelry-uploads/staging/test"))

        async def keep() -> str:
            async with heartbeats():
                attempt = Attempt.begin(GENERATE)
                picture = b64encode(jpeg((640, 480), "gold")).decode()
                return await activities._results.store(
                    attempt, "flux", picture, A100_ERRORS, result_checks.check_fidelity
                )

        # Three photos are being written, of twelve megapixels each, and more wait to be read.
        tasks: list[asyncio.Task[object]] = [asyncio.create_task(ActivityEnvironment().run(upload)) for _ in range(6)]
        await store.until_written(3)
        tasks.append(asyncio.create_task(ActivityEnvironment().run(keep)))
        await store.until_written(4)
        assert store.written == ["test.jpg"] * 3 + ["test-flux.jpg"]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await assembly.close()
