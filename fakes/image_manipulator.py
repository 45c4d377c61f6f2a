"""The fake image manipulator: resizes, and says whether the background should go."""

from pydantic import BaseModel, Field

from fakes import pictures
from fakes.kit.serve import main
from fakes.kit.simulated import Simulated
from fakes.registry import SERVICES
from fakes.settings import ServiceSettings
from fakes.studio import BlobUri, Pixels, Studio

SERVICE = SERVICES["image_manipulator"]
RECOMMEND_BELOW = 0.5
"""Where the person fills less of the picture than this, the background is worth removing."""


class Resize(BaseModel):
    """What to resize."""

    image_uri: str
    max_dimension: int = Field(ge=1, le=20_000)


class Resized(BaseModel):
    """Where the smaller picture is, and the sizes in pixels."""

    resized_uri: BlobUri
    original_width: Pixels
    original_height: Pixels
    new_width: Pixels
    new_height: Pixels


class ZoomCheck(BaseModel):
    """What to look at."""

    image_uri: str


class Zoom(BaseModel):
    """How much of the picture the person fills, from 0 to 1."""

    recommend_bg_removal: bool
    zoom_level: float


def create_app(settings: ServiceSettings) -> Simulated:
    """Return the fake image manipulator."""
    studio = Studio(SERVICE, settings)
    app = studio.app

    @app.post("/resize", operation_id="resize")
    async def resize(request: Resize) -> Resized:
        source = await studio.store.get(request.image_uri)
        await studio.takes(source)
        small = await studio.draw(pictures.resize, source, request.max_dimension)
        uri = await studio.deliver(request.image_uri, "-resized.jpg", small.data, source)
        (width, height), (new_width, new_height) = small.original_size, small.new_size
        return Resized(
            resized_uri=uri,
            original_width=width,
            original_height=height,
            new_width=new_width,
            new_height=new_height,
        )

    @app.post("/zoom_check", operation_id="zoom_check")
    async def zoom_check(request: ZoomCheck) -> Zoom:
        source = await studio.store.get(request.image_uri)
        await studio.takes(source)
        level = await studio.draw(pictures.zoom_level, source)
        return Zoom(recommend_bg_removal=level < RECOMMEND_BELOW, zoom_level=round(level, 3))

    return studio.fake


if __name__ == "__main__":
    main(SERVICE.name, SERVICE.port, create_app, ServiceSettings)
