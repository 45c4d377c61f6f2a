"""The seven steps as a DBOS workflow on SQLite: `python -m loadtests.comparisons.dbos_app`. For comparison alone."""

import os
import threading

from dbos import DBOS, EnqueueOptions

from loadtests.comparisons import plain_steps

AT_ONCE = 100
ENQUEUED: EnqueueOptions = {"workflow_name": "try_on", "queue_name": "bench", "app_version": "1"}
"""How a client names the workflow to run."""


@DBOS.step()
def upload(key: str) -> str:
    """Step 1: the gateway has staged the picture, as it does for the pipeline."""
    return plain_steps.upload(key, plain_steps.read(f"staging/{key}"))


@DBOS.step()
def resize(uri: str) -> str:
    """Step 2."""
    return plain_steps.resize(uri)


@DBOS.step()
def zoom(uri: str) -> bool:
    """Step 3."""
    return plain_steps.zoom(uri)


@DBOS.step()
def background(uri: str) -> str:
    """Step 4."""
    return plain_steps.background(uri)


@DBOS.step()
def mask(uri: str) -> str:
    """Step 5."""
    return plain_steps.mask(uri)


@DBOS.step()
def refine(uri: str, mask_uri: str) -> str:
    """Step 6."""
    return plain_steps.refine(uri, mask_uri)


@DBOS.step()
def generate(key: str, uri: str, mask_uri: str) -> list[str]:
    """Step 7, with its results stored."""
    return plain_steps.keep(key, plain_steps.generate(uri, mask_uri))


@DBOS.workflow(name="try_on")
def try_on(key: str) -> list[str]:
    """Run the steps in order."""
    resized = resize(upload(key))
    subject = background(resized) if zoom(resized) else resized
    names: list[str] = generate(key, resized, refine(subject, mask(subject)))
    return names


if __name__ == "__main__":
    DBOS(
        config={
            "name": "bench",
            "system_database_url": os.environ["DBOS_DATABASE_URL"],
            "application_version": "1",
            "log_level": "WARNING",
            "max_executor_threads": AT_ONCE,
        }
    )
    DBOS.launch()
    DBOS.register_queue("bench", worker_concurrency=AT_ONCE, polling_interval_sec=0.1)
    print("ready", flush=True)
    threading.Event().wait()
