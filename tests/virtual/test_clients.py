"""What comes from outside happens at the instant where the story stands; what waits in vain ends in an error."""

import asyncio
import uuid
from typing import Any

import pytest
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import PollActivityTaskQueueRequest
from temporalio.bridge.worker import Worker as BridgeWorker
from temporalio.client import Client
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.worker import Worker

from scenarios.virtual import Story, VirtualTime, VirtualTimeError, WaitsForEverError, waiting
from tests.virtual import activities
from tests.virtual.session import Session
from tests.virtual.workflows import Approval, One, OnQueue


def _name() -> str:
    return f"order-{uuid.uuid4()}"


def test_time_stands_while_nobody_waits(session: Session) -> None:
    async def story() -> tuple[Any, float, Any]:
        name, virtual = _name(), session.virtual
        handle = await session.client.start_workflow(Approval.run, 60, id=name, task_queue="q")
        await virtual.until(name, 130)
        await asyncio.sleep(0.1)
        reminded = await handle.query(Approval.reminded)
        stands = virtual.story(name).now
        await handle.signal(Approval.approve)
        result = await handle.result()
        await session.replay(handle)
        return reminded, stands, result

    assert session.do(story()) == ([60, 120], 130, [130, [60, 120], 130])


def test_what_is_planned_happens_at_its_instant(session: Session) -> None:
    result, story = session.run(Approval.run, 60, plan=[(95, lambda handle: handle.signal(Approval.approve))])
    assert result == [95, [60], 95]
    assert story.now == 95


def test_the_outcome_of_an_update_lets_time_pass(session: Session) -> None:
    async def story() -> tuple[Any, Any]:
        handle = await session.client.start_workflow(Approval.run, 60, id=_name(), task_queue="q")
        return await handle.execute_update(Approval.approve_later, 70), await handle.result()

    assert session.do(story()) == (70, [70, [60], 70])


def test_what_is_planned_may_wait_for_its_own_story(session: Session) -> None:
    virtual = session.virtual
    told: list[tuple[str, Any, float]] = []

    async def story() -> Any:
        name = _name()
        handle = session.client.get_workflow_handle(name)

        async def tells(what: str, waits: Any) -> None:
            result = await waits
            stands = virtual.story(name).now
            await asyncio.sleep(0.05)  # in real time: the act goes on, and the story stands
            assert virtual.story(name).now == stands
            told.append((what, result, stands))

        planned = [
            virtual.at(name, 5, lambda: tells("outcome", handle.execute_update(Approval.approve_later, 70))),
            virtual.at(name, 10, lambda: tells("result", handle.result())),
            virtual.at(name, 20, lambda: tells("instant", virtual.until(name, 50))),
            virtual.at(name, 60, lambda: tells("nothing", asyncio.sleep(0))),
        ]
        result = await session.client.execute_workflow(Approval.run, 60, id=name, task_queue="q")
        for each in planned:
            await each
        return result

    assert session.do(story()) == [75, [60], 75]
    assert sorted(told) == [
        ("instant", None, 50),
        ("nothing", None, 60),
        ("outcome", 75, 75),
        ("result", [75, [60], 75], 75),
    ]


def test_what_was_planned_and_fails_reaches_who_waits(session: Session) -> None:
    async def fails() -> None:
        raise LookupError("no such order")

    async def story() -> None:
        name = _name()
        session.virtual.at(name, 10, fails)
        try:
            await session.client.execute_workflow(Approval.run, 60, id=name, task_queue="q")
        finally:
            await session.client.get_workflow_handle(name).terminate()

    with pytest.raises(VirtualTimeError, match=r"planned for 10 s of order-.* failed: LookupError\('no such order'\)"):
        session.do(story())


def test_a_signal_that_nobody_will_send_is_named(session: Session) -> None:
    async def story() -> None:
        name = _name()
        try:
            await session.client.execute_workflow(Approval.run, None, id=name, task_queue="q")
        finally:
            await session.client.get_workflow_handle(name).terminate()

    with pytest.raises(WaitsForEverError, match=r"waits for ever: signal approve or update approve_later"):
        session.do(story())


def test_an_activity_that_no_worker_knows_is_named(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        name = _name()
        try:
            await session.client.execute_workflow(One.run, args=["unheard_of", [], {}], id=name, task_queue="q")
        finally:
            await session.client.get_workflow_handle(name).terminate()

    monkeypatch.setattr(waiting, "LOST_S", 0.5)
    says = r"order-.* waits for ever: Activity function unheard_of .* is not registered on this worker, available"
    with pytest.raises(WaitsForEverError, match=says):
        session.do(story())


def test_a_queue_that_nobody_serves_is_named(session: Session) -> None:
    async def story() -> None:
        virtual = VirtualTime(patience=1)
        client = await Client.connect(session.client.service_client.config.target_host, plugins=[virtual])
        name = _name()
        try:
            await client.execute_workflow(One.run, args=["hangs", [], {}], id=name, task_queue="nobody's")
        finally:
            await client.get_workflow_handle(name).terminate()

    with pytest.raises(VirtualTimeError, match=r"waits for: workflow order-.* to begin here, since 1 s"):
        session.do(story())


def test_an_answer_that_does_not_come_is_named(session: Session) -> None:
    async def story() -> None:
        over = asyncio.Event()

        async def says_nothing(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await over.wait()
            writer.close()

        listener = await asyncio.start_server(says_nothing, "127.0.0.1", 0)
        port = listener.sockets[0].getsockname()[1]
        name = _name()
        session.virtual.patience, patience = 1.0, session.virtual.patience
        try:
            await session.client.execute_workflow(
                One.run, args=["asks", [f"http://127.0.0.1:{port}"], {}], id=name, task_queue="q"
            )
        finally:
            session.virtual.patience = patience
            await session.client.get_workflow_handle(name).terminate()
            over.set()
            listener.close()

    with pytest.raises(VirtualTimeError, match=r"waits for: an answer of 127.0.0.1:\d+, since 1 s"):
        session.do(story())


def test_a_task_that_the_server_started_and_delivered_to_nobody_comes_again(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "LOST_S", 2.5)

    async def story() -> tuple[Any, list[Any]]:
        name, queue = _name(), f"nobody-{uuid.uuid4()}"
        handle = await session.client.start_workflow(OnQueue.run, queue, id=name, task_queue="q")
        stolen = await session.client.workflow_service.poll_activity_task_queue(
            PollActivityTaskQueueRequest(
                namespace=session.client.namespace, task_queue=TaskQueue(name=queue), identity="a thief"
            )
        )
        assert (stolen.activity_id, stolen.attempt) == ("1", 1)
        async with Worker(session.client, task_queue=queue, activities=[activities.fails]):
            told = await handle.result()
        await session.replay(handle)
        return told, [(each.number, each.began, each.ended) for each in session.virtual.story(name).attempts()]

    told, attempts = session.do(story())
    assert attempts == [(1, 0, 3), (2, 4, 7)]
    assert told[:3] == ["ApplicationError", "Nope", "MAXIMUM_ATTEMPTS_REACHED"]


def test_an_attempt_whose_answer_is_slow_is_not_taken_for_lost(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits = session.virtual._stories.waits
    redeliver, complete = waits._redeliver, BridgeWorker.complete_activity_task
    looked = asyncio.Event()

    async def look(story: Story) -> None:
        await redeliver(story)
        looked.set()

    async def slow(self: BridgeWorker, answer: Any) -> None:
        await looked.wait()
        await complete(self, answer)

    monkeypatch.setattr(waiting, "LOST_S", 2.5)
    monkeypatch.setattr(waits, "_redeliver", look)
    monkeypatch.setattr(BridgeWorker, "complete_activity_task", slow)
    told, story = session.one("fails", 99, 3, attempts=2)
    assert [(each.number, each.began, each.ended) for each in story.attempts()] == [(1, 0, 3), (2, 4, 7)]
    assert told[0][1:3] == ["Nope", "MAXIMUM_ATTEMPTS_REACHED"]


async def loses_first(self: BridgeWorker, answer: Any) -> None:
    """Let the core take an answer, and the server never hear of it."""
    if answer.task_token in lost or len(lost) == 3:
        await complete(self, answer)
        return
    lost.add(answer.task_token)
    kept = type(answer)(task_token=answer.task_token)
    kept.result.will_complete_async.SetInParent()
    await complete(self, kept)


lost: set[bytes] = set()
complete = BridgeWorker.complete_activity_task


@pytest.mark.long("an answer that does not come is waited for")
def test_an_answer_that_is_lost_is_said_again(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    async def cancels(handle: Any) -> None:
        await handle.cancel()

    monkeypatch.setattr(waiting, "LOST_S", 1)
    monkeypatch.setattr(BridgeWorker, "complete_activity_task", loses_first)
    assert session.one("sleeps", 3)[0] == ["slept", 3]
    told, story = session.one("fails", 1, 3, attempts=2)
    assert told == ["done", 7]
    assert [(each.number, each.began, each.ended) for each in story.attempts()] == [(1, 0, 3), (2, 4, 7)]
    assert session.one("beats", 30, plan=[(4.5, cancels)], wait=True, heartbeat_timeout=5)[0][0][0] == "CancelledError"
    assert len(lost) == 3
    assert story.ended == {}


def test_a_breakpoint_is_no_hang(session: Session) -> None:
    patience, session.virtual.patience = session.virtual.patience, 0.5
    try:
        assert session.one("stops_at_a_breakpoint", 1.5)[0] == ["went on", 0]
    finally:
        session.virtual.patience = patience


def test_a_plain_loop_is_refused() -> None:
    async def connect() -> None:
        await Client.connect("127.0.0.1:1", plugins=[VirtualTime()])

    with pytest.raises(VirtualTimeError, match=r"needs a VirtualLoop.*asyncio.Runner\(loop_factory=VirtualLoop\)"):
        asyncio.run(connect())


def test_a_story_that_is_not_there_is_named(session: Session) -> None:
    with pytest.raises(VirtualTimeError, match="no workflow 'nobody' has been started here"):
        session.virtual.story("nobody")


def test_a_start_that_is_refused_leaves_the_story_of_the_run_before(session: Session) -> None:
    async def story() -> tuple[float, float]:
        name, once = _name(), WorkflowIDReusePolicy.REJECT_DUPLICATE
        how: dict[str, Any] = {"id": name, "task_queue": "q", "id_reuse_policy": once}
        handle = await session.client.start_workflow(Approval.run, 60, **how)
        session.virtual.at(name, 95, lambda: handle.signal(Approval.approve))
        await handle.result()
        ended = session.virtual.story(name).now
        with pytest.raises(WorkflowAlreadyStartedError):
            await session.client.start_workflow(Approval.run, 60, **how)
        return ended, session.virtual.story(name).now

    assert session.do(story()) == (95, 95)
