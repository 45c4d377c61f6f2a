"""The fake BiRefNet: removes backgrounds, as jobs."""

from typing import Literal

from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from fakes import pictures
from fakes.kit.serve import main
from fakes.kit.simulated import Simulated
from fakes.registry import SERVICES
from fakes.settings import ServiceSettings
from fakes.studio import BlobUri, Studio

SERVICE = SERVICES["birefnet"]


class Removal(BaseModel):
    """The picture whose background is to go."""

    image_uri: str


class Submitted(BaseModel):
    """The job that was accepted."""

    job_id: str = Field(min_length=1)


class RemovalJob(BaseModel):
    """A job's state, and once it is completed where the PNG with alpha is."""

    status: Literal["processing", "completed", "failed"]
    result_uri: BlobUri | None = None


def create_app(settings: ServiceSettings) -> Simulated:
    """Return the fake BiRefNet."""
    studio = Studio(SERVICE, settings)
    app = studio.app

    @app.post("/jobs", operation_id="submit")
    async def submit(request: Removal) -> Submitted:
        job_id = await studio.submit(request.image_uri, "-nobg.png", pictures.remove_background)
        return Submitted(job_id=job_id)

    @app.get("/jobs/{job_id}", operation_id="poll", response_model=RemovalJob)
    async def poll(job_id: str) -> JSONResponse:
        return await studio.poll(job_id, "result_uri")

    return studio.fake


if __name__ == "__main__":
    main(SERVICE.name, SERVICE.port, create_app, ServiceSettings)
