"""The seven steps as a Celery chain over Redis: `celery -A loadtests.comparisons.celery_app worker`. To compare."""

import os
from typing import Any

from celery import Celery, chain

from loadtests.comparisons import plain_steps

app = Celery("bench", broker=os.environ["REDIS_URL"], backend=os.environ["REDIS_URL"])
app.conf.update(
    task_acks_late=True,  # a task of a worker that dies runs again, as Temporal would have it
    worker_prefetch_multiplier=1,
    task_autoretry_for=(Exception,),
    broker_connection_retry_on_startup=True,
)

State = dict[str, Any]


@app.task(name="upload")
def upload(key: str) -> State:
    """Step 1: the gateway has staged the picture, as it does for the pipeline."""
    staged = plain_steps.read(f"staging/{key}")
    return {"key": key, "image": plain_steps.upload(key, staged)}


@app.task(name="resize")
def resize(state: State) -> State:
    """Step 2."""
    return state | {"image": plain_steps.resize(state["image"])}


@app.task(name="zoom")
def zoom(state: State) -> State:
    """Step 3."""
    return state | {"far": plain_steps.zoom(state["image"])}


@app.task(name="background")
def background(state: State) -> State:
    """Step 4."""
    return state | {"subject": plain_steps.background(state["image"]) if state["far"] else state["image"]}


@app.task(name="mask")
def mask(state: State) -> State:
    """Step 5."""
    return state | {"mask": plain_steps.mask(state["subject"])}


@app.task(name="refine")
def refine(state: State) -> State:
    """Step 6."""
    return state | {"mask": plain_steps.refine(state["subject"], state["mask"])}


@app.task(name="generate")
def generate(state: State) -> list[str]:
    """Step 7, with its results stored."""
    return plain_steps.keep(state["key"], plain_steps.generate(state["image"], state["mask"]))


def try_on(key: str) -> list[str]:
    """Run one chain to its end and return the names of its results."""
    steps = chain(upload.s(key), resize.s(), zoom.s(), background.s(), mask.s(), refine.s(), generate.s())
    found: list[str] = steps.apply_async().get(timeout=300, interval=0.1)
    return found
