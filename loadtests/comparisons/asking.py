"""What the client processes of the contenders run: each function returns what runs one of its workflows to its end."""

import asyncio
import base64
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

from loadtests.bench.client import Run
from scenarios.stories.drawn import photo_bytes

THREADS = 200
"""For clients that block: more than are ever asked for at once."""


async def literal() -> Run:
    """The specification's pseudocode, over Temporal."""
    from app.process.temporal import connect  # noqa: PLC0415 - here and below: each client imports its own world and no other
    from loadtests.comparisons.literal import TASK_QUEUE, LiteralWorkflow  # noqa: PLC0415

    temporal = await connect()
    photo = base64.b64encode(photo_bytes("far")).decode()
    return lambda: temporal.execute_workflow(LiteralWorkflow.run, photo, id=str(uuid4()), task_queue=TASK_QUEUE)


async def celery() -> Run:
    """The plain steps as a Celery chain."""
    from loadtests.comparisons import celery_app  # noqa: PLC0415

    return _staged(celery_app.try_on)


async def dbos() -> Run:
    """The plain steps as a DBOS workflow."""
    from dbos import DBOSClient  # noqa: PLC0415

    from loadtests.comparisons import dbos_app  # noqa: PLC0415

    queue = DBOSClient(system_database_url=os.environ["DBOS_DATABASE_URL"])
    options = dbos_app.ENQUEUED
    return _staged(lambda key: queue.enqueue(options, key).get_result())


def _staged(try_on: Callable[[str], object]) -> Run:
    """Return what stages the photo and runs a try-on, both in one of many threads."""
    from loadtests.comparisons import plain_steps  # noqa: PLC0415 - what it needs of the environment only some clients have

    photo = photo_bytes("far")
    threads = ThreadPoolExecutor(THREADS)

    def blocking() -> None:
        key = str(uuid4())
        plain_steps.stage(key, photo)
        try_on(key)

    return lambda: asyncio.get_running_loop().run_in_executor(threads, blocking)
