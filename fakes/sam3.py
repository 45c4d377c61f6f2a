"""The fake SAM3: masks from points, as jobs."""

from typing import Annotated, Literal, Self

from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field, model_validator

from fakes import pictures
from fakes.kit.serve import main
from fakes.kit.simulated import Simulated
from fakes.registry import SERVICES
from fakes.settings import ServiceSettings
from fakes.studio import BlobUri, Studio

SERVICE = SERVICES["sam3"]

Share = Annotated[float, Field(ge=0, le=1)]


class Segmentation(BaseModel):
    """A picture, points in shares of its width and height, and for each whether it is foreground (1) or not (0)."""

    image_uri: str
    points: list[tuple[Share, Share]] = Field(min_length=1)
    labels: list[Literal[0, 1]] = Field(min_length=1)

    @model_validator(mode="after")
    def _a_label_for_each_point(self) -> Self:
        if len(self.points) != len(self.labels):
            raise ValueError(f"{len(self.points)} points and {len(self.labels)} labels")
        return self


class Submitted(BaseModel):
    """The job that was accepted."""

    job_id: str = Field(min_length=1)


class SegmentationJob(BaseModel):
    """A job's state, and once it is completed where the mask is: a PNG of mode L, 255 where the jewellery goes."""

    status: Literal["processing", "completed", "failed"]
    mask_uri: BlobUri | None = None


def create_app(settings: ServiceSettings) -> Simulated:
    """Return the fake SAM3."""
    studio = Studio(SERVICE, settings)
    app = studio.app

    @app.post("/jobs", operation_id="submit")
    async def submit(request: Segmentation) -> Submitted:
        given = (pictures.segment, request.points, request.labels)
        return Submitted(job_id=await studio.submit(request.image_uri, "-mask.png", *given))

    @app.get("/jobs/{job_id}", operation_id="poll", response_model=SegmentationJob)
    async def poll(job_id: str) -> JSONResponse:
        return await studio.poll(job_id, "mask_uri")

    return studio.fake


if __name__ == "__main__":
    main(SERVICE.name, SERVICE.port, create_app, ServiceSettings)
