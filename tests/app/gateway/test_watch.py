import asyncio
import dataclasses
from collections.abc import AsyncGenerator
from contextlib import aclosing

import httpx
import pytest
from structlog.testing import capture_logs
from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from app.errors import PipelineError
from app.errors.temporal import TemporalUnavailableError
from app.gateway.routes import Parts
from app.gateway.temporal_calls import Snapshot, Status
from app.gateway.watch import Watches
from app.pipeline.steps import Step
from app.settings import Settings
from tests.app.gateway.conftest import Backend, Served, body, serving, until

pytestmark = pytest.mark.asyncio(loop_scope="session")


class Looks:
    """A try-on that changes when a test says so, and counts who looks."""

    def __init__(self) -> None:
        self.now = Snapshot("w", Status.RUNNING, Step.UPLOADING_IMAGE)
        self.count = 0
        self.error: Exception | None = None

    async def __call__(self, _workflow_id: str) -> Snapshot:
        self.count += 1
        await asyncio.sleep(0)
        if self.error:
            raise self.error
        return self.now


async def collect(changes: AsyncGenerator[Snapshot]) -> list[int]:
    async with aclosing(changes):
        return [snapshot.step.progress async for snapshot in changes]


async def test_watchers_share_one_poller_and_each_sees_every_change() -> None:
    look = Looks()
    watches = Watches(look, interval=0.01)
    watchers = [asyncio.create_task(collect(watches.watch("w"))) for _ in range(50)]
    await until(lambda: _true(look.count > 3))
    assert watches.watched == 1
    before = look.count
    look.now = Snapshot("w", Status.RUNNING, Step.RESIZING_IMAGE)
    await until(lambda: _true(look.count > before + 3))
    assert look.count < before + 50
    look.now = Snapshot("w", Status.COMPLETED, Step.COMPLETED)
    assert await asyncio.gather(*watchers) == [[5, 15, 100]] * 50
    assert watches.watched == 0


async def test_one_who_comes_later_is_told_nothing_from_before_it_came() -> None:
    """It may have been told of the end already, by a status or another gateway."""
    look = Looks()
    watches = Watches(look, interval=0.1)
    first = watches.watch("w")
    assert (await anext(first)).step is Step.UPLOADING_IMAGE
    look.now = Snapshot("w", Status.COMPLETED, Step.COMPLETED)
    assert await collect(watches.watch("w")) == [100]
    assert look.count == 2
    assert await collect(first) == [100]


async def test_one_who_comes_later_is_told_how_it_stands_when_nothing_has_changed() -> None:
    look = Looks()
    watches = Watches(look, interval=0.01)
    async with aclosing(watches.watch("w")) as first:
        await anext(first)
        async with aclosing(watches.watch("w")) as second, asyncio.timeout(5):
            assert (await anext(second)).step is Step.UPLOADING_IMAGE
        assert watches.watched == 1


async def test_one_who_comes_as_the_end_is_told_is_told_it_too() -> None:
    look = Looks()
    watches = Watches(look, interval=0.01)
    first = watches.watch("w")
    await anext(first)
    look.now = Snapshot("w", Status.COMPLETED, Step.COMPLETED)
    assert (await anext(first)).ended
    async with asyncio.timeout(5):
        assert await collect(watches.watch("w")) == [100]
    await first.aclose()


async def test_a_poller_that_dies_of_a_defect_says_so_in_the_log_and_to_each_watcher() -> None:
    look = Looks()
    look.error = KeyError("a defect")
    watches = Watches(look, interval=0.01)
    with capture_logs() as said:
        ends = await asyncio.gather(*(collect(watches.watch("w")) for _ in range(2)), return_exceptions=True)
    assert [(type(end), str(end)) for end in ends] == [(PipelineError, "An unexpected error")] * 2
    assert [(line["event"], line["task"], type(line["exc_info"])) for line in said] == [
        ("a background task died", "watch", KeyError)
    ]


async def test_the_poller_goes_with_its_last_watcher() -> None:
    look = Looks()
    watches = Watches(look, interval=0.01)
    first, second = (asyncio.create_task(collect(watches.watch("w"))) for _ in range(2))
    await until(lambda: _true(look.count > 1))
    first.cancel()
    await asyncio.wait([first])
    assert watches.watched == 1
    second.cancel()
    await asyncio.wait([second])
    assert watches.watched == 0
    count = look.count
    await asyncio.sleep(0.05)
    assert look.count == count


async def test_a_failed_look_reaches_every_watcher_and_the_next_one_begins_anew() -> None:
    look = Looks()
    look.error = TemporalUnavailableError("away")
    watches = Watches(look, interval=0.01)
    results = await asyncio.gather(*(collect(watches.watch("w")) for _ in range(3)), return_exceptions=True)
    assert [type(result) for result in results] == [TemporalUnavailableError] * 3
    look.error, look.now = None, Snapshot("w", Status.CANCELLED, Step.UPLOADING_IMAGE)
    assert await collect(watches.watch("w")) == [5]


async def test_a_new_watcher_is_not_given_the_error_that_another_has_yet_to_take() -> None:
    """A watcher is suspended for as long as its client reads slowly."""
    look = Looks()
    watches = Watches(look, interval=0.01)
    suspended = watches.watch("w")
    assert (await anext(suspended)).step.progress == 5
    look.error = TemporalUnavailableError("away")
    await until(lambda: _true(watches.watched == 0))
    look.error, look.now = None, Snapshot("w", Status.RUNNING, Step.RESIZING_IMAGE)
    fresh = watches.watch("w")
    assert (await anext(fresh)).step.progress == 15
    assert watches.watched == 1
    with pytest.raises(TemporalUnavailableError):
        await anext(suspended)
    assert watches.watched == 1  # that of the new one
    await fresh.aclose()
    assert watches.watched == 0


async def test_a_browser_that_leaves_ends_its_watch(gateway: Served, backend: Backend) -> None:
    backend.held = {"generate_mask"}
    workflow_id = (await gateway.http.post("/workflow/start", json=body())).json()["workflowId"]
    parts: Parts = gateway.app.state.parts
    async with gateway.http.stream("GET", f"/workflow/{workflow_id}/events") as stream:
        async for line in stream.aiter_lines():
            if "GENERATING_MASK" in line:
                break
        assert parts.watches.watched == 1
    await until(lambda: _true(parts.watches.watched == 0))
    backend.release.set()


async def test_a_client_that_leaves_ends_its_wait(gateway: Served, backend: Backend) -> None:
    backend.held = {"generate_mask"}
    workflow_id = (await gateway.http.post("/workflow/start", json=body())).json()["workflowId"]
    watches: Watches = gateway.app.state.parts.watches
    _, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(f"GET /workflow/{workflow_id}?wait=60 HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    await until(lambda: _true(watches.waiting == 1))
    with capture_logs() as said:
        writer.close()
        await until(lambda: _true(watches.waiting == 0))
    await until(lambda: _true("client left" in [line["event"] for line in said]))
    backend.release.set()


async def test_no_more_clients_wait_than_there_is_room_for(
    settings: Settings, client: Client, backend: Backend
) -> None:
    backend.held = {"generate_mask"}
    async with serving(settings, client, proxies="127.0.0.1") as served:
        watches = Watches(Looks(), waits=2, share=0.5)
        served.app.state.parts = dataclasses.replace(served.app.state.parts, watches=watches)
        workflow_id = (await served.http.post("/workflow/start", json=body())).json()["workflowId"]
        path = f"/workflow/{workflow_id}?wait=30"
        polls = [asyncio.create_task(served.http.get(path))]
        await until(lambda: _true(watches.waiting == 1))
        refused = await served.http.get(path)  # this caller has its share
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "GATEWAY_BUSY")
        assert refused.headers["retry-after"] == "5"
        polls.append(asyncio.create_task(served.http.get(path, headers={"X-Forwarded-For": "203.0.113.7"})))
        await until(lambda: _true(watches.waiting == 2))
        assert (await served.http.get(f"/workflow/{workflow_id}")).json()["status"] == "RUNNING"
        backend.release.set()
        assert [poll.json()["status"] for poll in await asyncio.gather(*polls)] == ["COMPLETED"] * 2
        assert watches.waiting == 0


async def test_a_server_that_stops_ends_its_streams(settings: Settings, client: Client, backend: Backend) -> None:
    backend.held = {"generate_mask"}
    async with asyncio.timeout(10):
        async with serving(settings, client) as served:
            workflow_id = (await served.http.post("/workflow/start", json=body())).json()["workflowId"]
            poll = asyncio.create_task(served.http.get(f"/workflow/{workflow_id}?wait=30"))
            async with served.http.stream("GET", f"/workflow/{workflow_id}/events") as stream:
                lines = stream.aiter_lines()
                assert await anext(lines) == "event: progress"
                watches: Watches = served.app.state.parts.watches
                await until(lambda: _true((watches.watched, watches.waiting) == (1, 1)))
                watches.stop()  # what SIGTERM does first
                assert "event: end" not in [line async for line in lines]
            assert (await poll).json()["status"] == "RUNNING"
    backend.release.set()


async def test_when_temporal_goes_away_the_stream_says_so_and_ends(settings: Settings, client: Client) -> None:
    async with serving(settings, client) as served:
        look = Looks()
        served.app.state.parts = dataclasses.replace(served.app.state.parts, watches=Watches(look, interval=0.01))
        workflow_id = (await served.http.post("/workflow/start", json=body())).json()["workflowId"]
        stream = asyncio.create_task(served.http.get(f"/workflow/{workflow_id}/events"))
        await until(lambda: _true(look.count > 1))
        look.error = TemporalUnavailableError("Temporal cannot be reached")
        lines = (await stream).text.splitlines()
        told = lines[lines.index("event: unavailable") :]
        assert any('"TEMPORAL_UNAVAILABLE"' in line for line in told if line.startswith("data: "))
        assert "retry: 5000" in told
        assert "event: error" not in lines  # an EventSource has that for itself


@pytest.mark.parametrize("end", ["COMPLETED", "CANCELLED", "FAILED"])
async def test_a_browser_that_comes_again_is_told_what_is_new(gateway: Served, backend: Backend, end: str) -> None:
    backend.held = {"generate_mask"}
    if end == "FAILED":
        backend.broken["generate_mask"] = ApplicationError("broken", type="Sam3RejectedError", non_retryable=True)
        backend.held = {"remove_background", "resize_image"}
    http = gateway.http
    workflow_id = (await http.post("/workflow/start", json=body())).json()["workflowId"]
    url = f"/workflow/{workflow_id}/events"
    step = "RESIZING_IMAGE" if end == "FAILED" else "GENERATING_MASK"

    async def reached() -> bool:
        return bool((await http.get(f"/workflow/{workflow_id}")).json().get("currentStep") == step)

    await until(reached)
    async with http.stream("GET", url) as stream:
        seen = await anext(_ids(stream))
    again = asyncio.create_task(http.get(url, headers={"Last-Event-ID": seen}))
    parts: Parts = gateway.app.state.parts
    await until(lambda: _true(parts.watches.watched == 1))
    if end == "CANCELLED":
        await http.post(f"/workflow/{workflow_id}/cancel")
    backend.release.set()
    text = (await again).text
    ids = [line.removeprefix("id: ") for line in text.splitlines() if line.startswith("id: ")]
    assert seen not in ids
    assert (ids[-1], text.count("event: end")) == (end, 1)
    over = await http.get(url, headers={"Last-Event-ID": ids[-1]})
    assert (over.status_code, over.content) == (204, b"")


@pytest.mark.parametrize("last", ["", "RUNNING", "FAILED", "1000", "x" * 1000])
async def test_an_id_of_an_event_that_was_never_sent_hides_nothing(gateway: Served, last: str) -> None:
    workflow_id = (await gateway.http.post("/workflow/start", json=body())).json()["workflowId"]
    answer = await gateway.http.get(f"/workflow/{workflow_id}/events", headers={"Last-Event-ID": last})
    assert "event: end" in answer.text


async def _ids(stream: httpx.Response) -> AsyncGenerator[str]:
    async for line in stream.aiter_lines():
        if line.startswith("id: "):
            yield line.removeprefix("id: ")


async def _true(condition: bool) -> bool:
    return condition
