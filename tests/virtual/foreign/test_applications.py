"""Eight applications in the styles that people write, none of which knows of a simulation, to the exact instant."""

import uuid
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowFailureError, WorkflowUpdateHandle, WorkflowUpdateStage
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    TimeoutError as TemporalTimeoutError,
)

from tests.virtual.foreign import approval, batch, checkout, children, fan_out, inbox, polling, saga
from tests.virtual.foreign.conftest import World
from tests.virtual.foreign.reports import Reports

Play = Callable[[Coroutine[Any, Any, Any]], Any]
DAY = 24 * 3600.0


def name() -> str:
    return str(uuid.uuid4())


def spans(world: World, workflow_id: str, activity: str) -> list[tuple[float, float]]:
    """When each attempt of an activity began and ended, to the microsecond."""
    return [
        (round(each.began, 6), round(each.ended or -1, 6))
        for each in world.virtual.story(workflow_id).attempts(activity)
    ]


def test_none_of_them_knows_of_a_simulation() -> None:
    words = ("virtual", "simulat", "scenarios", "fakes", "clock", "pytest")
    applications = (approval, batch, checkout, children, fan_out, inbox, polling, saga)
    for application in applications:
        assert application.__file__
        text = Path(application.__file__).read_text().lower()
        assert [word for word in words if word in text] == [], application.__name__


# ---------------------------------------------------------------- polling


async def report(world: World, service: Reports) -> tuple[str, Any]:
    workflow_id = name()
    async with service.serving() as url, world.working([polling.ReportWorkflow], [polling.make_report]) as queue:
        order = polling.Order(url, "may")
        try:
            result: Any = await world.client.execute_workflow(
                polling.ReportWorkflow.run, order, id=workflow_id, task_queue=queue
            )
        except WorkflowFailureError as error:
            result = error.cause
    return workflow_id, result


def test_a_report_is_asked_for_every_five_seconds(world: World, play: Play) -> None:
    service = Reports(done_at=13)
    workflow_id, result = play(report(world, service))
    assert result == "/r.pdf"
    assert spans(world, workflow_id, "make_report") == [(0, 60)]
    assert (service.count("order"), service.count("ask")) == (1, 13)


def test_an_attempt_that_fails_is_followed_by_one_that_takes_up_the_order(world: World, play: Play) -> None:
    service = Reports(done_at=5, trouble={("ask", 3): "lost"})
    workflow_id, result = play(report(world, service))
    assert result == "/r.pdf"
    assert spans(world, workflow_id, "make_report") == [(0, 10), (12, 17)]
    assert service.count("order") == 1


def test_a_report_that_the_service_gave_up_is_not_tried_again(world: World, play: Play) -> None:
    _, result = play(report(world, Reports(done_at=1, trouble={("ask", 1): "gave up"})))
    assert isinstance(result, ActivityError)
    assert isinstance(result.cause, ApplicationError)
    assert result.cause.type == "ReportFailed"


# ---------------------------------------------------------------- saga


async def trip(world: World, kind: str) -> tuple[str, Any]:
    workflow_id = f"{kind}-{name()}"
    async with world.working([saga.TripWorkflow], [saga.book, saga.cancel]) as queue:
        try:
            result: Any = await world.client.execute_workflow(
                saga.TripWorkflow.run, workflow_id, id=workflow_id, task_queue=queue
            )
        except WorkflowFailureError as error:
            result = error.cause
    return workflow_id, result


def test_a_trip_is_booked_though_the_airline_is_busy_twice(world: World, play: Play) -> None:
    workflow_id, result = play(trip(world, "shaky"))
    assert len(result) == 3
    assert spans(world, workflow_id, "book") == [(0, 3), (3, 6), (7, 10), (12, 15), (15, 18)]


def test_what_was_booked_is_undone_the_newest_first(world: World, play: Play) -> None:
    workflow_id, result = play(trip(world, "sold-out"))
    assert result.cause.type == "SoldOut"
    assert spans(world, workflow_id, "book") == [(0, 3), (3, 6), (6, 9)]
    # The flight, its second attempt, and then the hotel.
    assert spans(world, workflow_id, "cancel") == [(9, 12), (13, 16), (16, 19)]
    assert [each.outcome for each in world.virtual.story(workflow_id).attempts("cancel")] == [
        "Busy",
        "completed",
        "completed",
    ]


# ---------------------------------------------------------------- fan-out


def test_three_files_at_a_time_are_converted_in_threads(world: World, play: Play) -> None:
    async def story() -> tuple[str, list[str]]:
        workflow_id = name()
        async with world.working([fan_out.ConvertAll], [fan_out.convert]) as queue:
            files = [f"{letter}-{seconds}.tif" for letter, seconds in zip("abcde", (10, 20, 30, 10, 10), strict=True)]
            result = await world.client.execute_workflow(
                fan_out.ConvertAll.run, files, id=workflow_id, task_queue=queue
            )
        return workflow_id, result

    workflow_id, result = play(story())
    assert result == ["a-10.jpg", "b-20.jpg", "c-30.jpg", "d-10.jpg", "e-10.jpg"]
    # d begins when a is done, e when b and d are.
    assert sorted(spans(world, workflow_id, "convert")) == [(0, 10), (0, 20), (0, 30), (10, 20), (20, 30)]


# ---------------------------------------------------------------- approval


async def expense(world: World, *plans: tuple[float, approval.Decision]) -> tuple[str, str]:
    workflow_id = name()
    async with world.working([approval.ExpenseWorkflow], [approval.send_mail]) as queue:
        handle = world.client.get_workflow_handle(workflow_id)
        for at, decision in plans:
            world.virtual.at(workflow_id, at, partial(handle.signal, approval.ExpenseWorkflow.decide, decision))
        result = await world.client.execute_workflow(
            approval.ExpenseWorkflow.run, "lunch", id=workflow_id, task_queue=queue
        )
    return workflow_id, result


def test_who_decides_at_once_is_not_reminded(world: World, play: Play) -> None:
    workflow_id, result = play(expense(world, (3600, approval.Decision(approved=True, by="ada"))))
    assert result == "approved by ada"
    assert spans(world, workflow_id, "send_mail") == [(0, 1), (3600, 3601)]


def test_the_director_is_asked_after_three_reminders_and_the_first_decision_counts(world: World, play: Play) -> None:
    decided = 3 * DAY + 7200
    workflow_id, result = play(
        expense(
            world,
            (decided, approval.Decision(approved=False, by="grace")),
            (decided + 0.5, approval.Decision(approved=True, by="ada")),
        )
    )
    assert result == "refused by grace"
    began = [start for start, _ in spans(world, workflow_id, "send_mail")]
    # Each reminder is a day after the mail before it was sent, which takes a second.
    assert began == [0, DAY + 1, 2 * DAY + 2, 3 * DAY + 3, 3 * DAY + 4, decided]


def test_a_week_without_a_decision_expires(world: World, play: Play) -> None:
    workflow_id, result = play(expense(world))
    assert result == "expired"
    assert len(spans(world, workflow_id, "send_mail")) == 9


# ---------------------------------------------------------------- children


async def order(world: World, *parcels: str) -> tuple[str, Any]:
    workflow_id = name()
    workflows, activities = [children.OrderWorkflow, children.ParcelWorkflow], [children.pack, children.hand_over]
    async with world.working(workflows, activities) as queue:
        try:
            result: Any = await world.client.execute_workflow(
                children.OrderWorkflow.run, list(parcels), id=workflow_id, task_queue=queue
            )
        except WorkflowFailureError as error:
            result = error.cause
    return workflow_id, result


def test_parcels_are_packed_side_by_side_on_one_clock(world: World, play: Play) -> None:
    workflow_id, result = play(order(world, "lamp-40", "book-10"))
    assert result == ["lamp-40 is on its way", "book-10 is on its way"]
    assert sorted(spans(world, workflow_id, "pack")) == [(0, 10), (0, 40)]
    assert sorted(spans(world, workflow_id, "hand_over")) == [(70, 75), (100, 105)]


def test_a_lost_parcel_stops_the_packing_of_the_others(world: World, play: Play) -> None:
    workflow_id, result = play(order(world, "lost-5", "lamp-90"))
    assert isinstance(result, ApplicationError)
    assert result.type == "OrderHeld"
    assert spans(world, workflow_id, "hand_over") == [(65, 70)]
    packed = {each.outcome: (each.began, each.ended) for each in world.virtual.story(workflow_id).attempts("pack")}
    assert packed["completed"] == (0, 5)
    began, ended = packed["cancelled"]
    assert began == 0
    assert ended is not None
    assert 70 <= ended <= 74  # with its next heartbeat that is sent: one in four seconds


# ---------------------------------------------------------------- continue-as-new


def test_a_batch_goes_on_in_new_runs(world: World, play: Play) -> None:
    async def story() -> tuple[str, int, str | None, str | None]:
        workflow_id = name()
        async with world.working([batch.MoveWorkflow], [batch.move_page]) as queue:
            handle = await world.client.start_workflow(
                batch.MoveWorkflow.run, batch.Batch(0, 7), id=workflow_id, task_queue=queue
            )
            result = await handle.result()
            last = (await world.client.get_workflow_handle(workflow_id).describe()).run_id
        return workflow_id, result, handle.first_execution_run_id, last

    workflow_id, result, first, last = play(story())
    assert result == 700
    assert first != last
    began = [start for start, _ in spans(world, workflow_id, "move_page")]
    # A page and a pause are 40 s; the second attempt at page 4 comes after 10 s of work and 4 of backoff.
    assert began == [0, 40, 80, 120, 160, 174, 214, 254]


# ---------------------------------------------------------------- local activities


async def check_out(world: World, *articles: str) -> tuple[str, Any]:
    workflow_id = name()
    activities: list[Callable[..., Any]] = [checkout.price_of, checkout.in_stock, checkout.pay]
    async with world.working([checkout.CheckoutWorkflow], activities) as queue:
        try:
            result: Any = await world.client.execute_workflow(
                checkout.CheckoutWorkflow.run, list(articles), id=workflow_id, task_queue=queue
            )
        except WorkflowFailureError as error:
            result = error.cause
    return workflow_id, result


def test_look_ups_are_local_and_have_retries_of_their_own(world: World, play: Play) -> None:
    workflow_id, result = play(check_out(world, "rare book", "pen"))
    assert result == "paid 12"
    assert spans(world, workflow_id, "price_of") == [
        (0, 0.2),
        (1.2, 1.4),
        (1.5, 1.7),
    ]
    assert spans(world, workflow_id, "pay") == [(1.8, 3.8)]


def test_a_look_up_that_takes_too_long_is_cut_off(world: World, play: Play) -> None:
    workflow_id, result = play(check_out(world, "slow boat"))
    assert isinstance(result, ActivityError)
    assert isinstance(result.cause, TemporalTimeoutError)
    assert spans(world, workflow_id, "in_stock") == [
        (0.2, 3.2),
        (4.2, 7.2),
    ]


# ---------------------------------------------------------------- a queue in a workflow


def test_messages_are_answered_one_by_one_until_nobody_writes(world: World, play: Play) -> None:
    async def story() -> tuple[str, list[str]]:
        workflow_id = name()
        async with world.working([inbox.InboxWorkflow], [inbox.answer]) as queue:
            handle = world.client.get_workflow_handle(workflow_id)
            for at, message in ((10.0, "hello"), (12.0, "you"), (500.0, "there")):
                world.virtual.at(workflow_id, at, partial(handle.signal, inbox.InboxWorkflow.receive, message))
            result = await world.client.execute_workflow(inbox.InboxWorkflow.run, id=workflow_id, task_queue=queue)
        return workflow_id, result

    workflow_id, result = play(story())
    assert result == ["HELLO", "YOU", "THERE"]
    assert spans(world, workflow_id, "answer") == [(10, 15), (15, 18), (500, 505)]
    assert world.virtual.story(workflow_id).now == 505 + 600


def test_an_inbox_that_is_closed_works_on_what_is_there(world: World, play: Play) -> None:
    async def story() -> tuple[str, list[str], int]:
        workflow_id = name()
        updates: list[WorkflowUpdateHandle[int]] = []
        async with world.working([inbox.InboxWorkflow], [inbox.answer]) as queue:
            handle = world.client.get_workflow_handle(workflow_id)
            for at in (1.0, 2.0):
                world.virtual.at(workflow_id, at, lambda: handle.signal(inbox.InboxWorkflow.receive, "again"))

            async def close() -> None:
                accepted = WorkflowUpdateStage.ACCEPTED
                updates.append(await handle.start_update(inbox.InboxWorkflow.close, wait_for_stage=accepted))

            world.virtual.at(workflow_id, 3.0, close)
            result = await world.client.execute_workflow(inbox.InboxWorkflow.run, id=workflow_id, task_queue=queue)
            told = await updates[0].result()
        return workflow_id, result, told

    workflow_id, result, told = play(story())
    assert result == ["AGAIN", "AGAIN"]
    assert spans(world, workflow_id, "answer") == [(1, 6), (6, 11)]
    assert told in (1, 2)
