"""The service that is compared: as a fake of this kit, as a bare FastAPI application, and as that one wrapped."""

import argparse
import asyncio
from collections.abc import Callable
from typing import Literal

import uvloop
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.types import ASGIApp

from fakes.kit.calls import Operation
from fakes.kit.serve import serving
from fakes.kit.settings import FakeSettings
from fakes.kit.simulated import Simulated

SLOW_S = 0.5
MASK = "azure://jewelry-uploads/a-mask.png"
OPERATIONS = (
    Operation("submit", "POST", "/jobs", job="submit", works=True),
    Operation("poll", "GET", "/jobs/{job_id}", job="poll"),
    Operation("health", "GET", "/health"),
    Operation("slow", "GET", "/slow"),
)


class Asked(BaseModel):
    """A picture, and points in it."""

    image_uri: str
    points: list[tuple[float, float]]
    labels: list[int]


class Submitted(BaseModel):
    """The job that was accepted."""

    job_id: str


class Job(BaseModel):
    """A job's state, and where its mask is."""

    status: Literal["processing", "completed", "failed"]
    mask_uri: str | None = None


class Health(BaseModel):
    """Whether it takes work, and its free memory in MB."""

    status: str
    gpu_memory_free: int


def bare() -> FastAPI:
    """Return the service as anybody would write it."""
    app = FastAPI()
    jobs = {"a": Job(status="completed", mask_uri=MASK)}

    @app.post("/jobs")
    async def submit(request: Asked) -> Submitted:
        return Submitted(job_id="a" if request.points else "b")

    @app.get("/jobs/{job_id}", response_model=Job)
    async def poll(job_id: str) -> JSONResponse:
        return JSONResponse(jobs["a" if job_id else "b"].model_dump())

    add_common(app)
    return app


def add_common(app: FastAPI) -> None:
    """Add the operations that need no jobs."""

    @app.get("/health")
    async def health() -> Health:
        return Health(status="online", gpu_memory_free=40_000)

    @app.get("/slow")
    async def slow() -> Health:
        await asyncio.sleep(SLOW_S)
        return Health(status="online", gpu_memory_free=40_000)


def kit() -> Simulated:
    """Return the service as a fake of this kit, whose jobs are the kit's."""
    app = FastAPI()
    fake = Simulated(app, "bench", FakeSettings(), OPERATIONS)

    async def work() -> str:
        return MASK

    @app.post("/jobs")
    async def submit(request: Asked) -> Submitted:  # noqa: ARG001 - read and checked, as any service does
        return Submitted(job_id=fake.jobs.submit(work, fake.work.admit()).id)

    @app.get("/jobs/{job_id}", response_model=Job)
    async def poll(job_id: str) -> JSONResponse:
        seen = await fake.jobs.poll(job_id)
        return JSONResponse({"status": seen.status, "mask_uri": seen.result})

    add_common(app)
    return fake


def wrapped() -> Simulated:
    """Return the bare application, wrapped unchanged."""
    return Simulated(bare(), "bench", FakeSettings(), OPERATIONS)


SHAPES: dict[str, Callable[[], ASGIApp]] = {"kit": kit, "bare": bare, "wrapped": wrapped}


async def serve(app: ASGIApp, port: int) -> None:
    """Serve until the process is ended: all three by the same server."""
    async with serving(app, port=port):
        await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("--port", type=int, required=True)
    chosen = parser.parse_args()
    uvloop.run(serve(SHAPES[chosen.shape](), chosen.port))
