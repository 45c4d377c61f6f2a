"""The fake image manipulator: resizes, and says whether the background should go."""

import asyncio

from pydantic import BaseModel, Field

from fakes import pictures
from fakes.kit.fake import Fake, ThisCall
from fakes.kit.serve import main
from fakes.kit.settings import FakeSettings
from fakes.storage.store import derived

PORT = 8005
RECOMMEND_BELOW = 0.5
"""Where the person fills less of the picture than this, the background is worth removing."""


class Resize(BaseModel):
    """What to resize."""

    image_uri: str
    max_dimension: int = Field(ge=1, le=20_000)


class Resized(BaseModel):
    """Where the smaller picture is, and the sizes in pixels."""

    resized_uri: str
    original_width: int
    original_height: int
    new_width: int
    new_height: int


class ZoomCheck(BaseModel):
    """What to look at."""

    image_uri: str


class Zoom(BaseModel):
    """How much of the picture the person fills, from 0 to 1."""

    recommend_bg_removal: bool
    zoom_level: float


def create_app(settings: FakeSettings) -> Fake:
    """Return the fake image manipulator."""
    fake = Fake("image_manipulator", settings, pictures=True)

    @fake.operation("resize", "POST", "/resize", makes="photo", works=True)
    async def resize(request: Resize, call: ThisCall) -> Resized:
        source = await fake.store.get(request.image_uri)
        await fake.takes(call, source)
        small = await asyncio.to_thread(pictures.resize, source, request.max_dimension)
        uri = await fake.deliver(call, derived(request.image_uri, "-resized.jpg"), small.data, source)
        (width, height), (new_width, new_height) = small.original_size, small.new_size
        return Resized(
            resized_uri=uri,
            original_width=width,
            original_height=height,
            new_width=new_width,
            new_height=new_height,
        )

    @fake.operation("zoom_check", "POST", "/zoom_check", works=True)
    async def zoom_check(request: ZoomCheck, call: ThisCall) -> Zoom:
        source = await fake.store.get(request.image_uri)
        await fake.takes(call, source)
        level = await asyncio.to_thread(pictures.zoom_level, source)
        return Zoom(recommend_bg_removal=level < RECOMMEND_BELOW, zoom_level=round(level, 3))

    return fake


if __name__ == "__main__":
    main("image_manipulator", PORT, create_app)
