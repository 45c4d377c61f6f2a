"""The fake BiRefNet: removes backgrounds, as jobs."""

from typing import Literal

from fastapi.responses import JSONResponse
from pydantic import BaseModel

from fakes import pictures
from fakes.kit.fake import Fake, ThisCall
from fakes.kit.serve import main
from fakes.kit.settings import FakeSettings

PORT = 8006


class Removal(BaseModel):
    """The picture whose background is to go."""

    image_uri: str


class Submitted(BaseModel):
    """The job that was accepted."""

    job_id: str


class RemovalJob(BaseModel):
    """A job's state, and once it is completed where the PNG with alpha is."""

    status: Literal["processing", "completed", "failed"]
    result_uri: str | None = None


def create_app(settings: FakeSettings) -> Fake:
    """Return the fake BiRefNet."""
    fake = Fake("birefnet", settings, pictures=True)

    @fake.operation("submit", "POST", "/jobs", makes="cutout", job="submit", works=True)
    async def submit(request: Removal, call: ThisCall) -> Submitted:
        job_id = await fake.submit(call, request.image_uri, "-nobg.png", pictures.remove_background)
        return Submitted(job_id=job_id)

    @fake.operation("poll", "GET", "/jobs/{job_id}", job="poll", answers=RemovalJob)
    async def poll(job_id: str, call: ThisCall) -> JSONResponse:
        return await fake.poll(call, job_id, "result_uri")

    return fake


if __name__ == "__main__":
    main("birefnet", PORT, create_app)
