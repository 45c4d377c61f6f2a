"""The image manipulator: makes pictures smaller and says whether their background should go."""

from typing import Annotated

from pydantic import Field

from app.attempts.attempt import Attempt
from app.attempts.deadline import Deadline
from app.services.http import ServiceAnswer, ServiceClient

Side = Annotated[int, Field(ge=1)]


class ResizeAnswer(ServiceAnswer):
    """POST /resize (specification, Image Manipulator Service)."""

    resized_uri: str
    original_width: Side
    original_height: Side
    new_width: Side
    new_height: Side


class ZoomAnswer(ServiceAnswer):
    """POST /zoom_check (specification, Image Manipulator Service)."""

    recommend_bg_removal: bool
    zoom_level: float


class ImageManipulator:
    """Client of the image manipulator."""

    def __init__(self, client: ServiceClient) -> None:
        """Keep the client, which knows the address and the errors."""
        self._client = client
        self.errors = client.errors

    async def ping(self, deadline: Deadline) -> None:
        """See whether the service is there; raises one of its errors if not."""
        await self._client.ping(deadline)

    async def resize(self, attempt: Attempt, image_uri: str, max_dimension: int) -> ResizeAnswer:
        """Have the picture made smaller, so that its longer side is at most `max_dimension` pixels."""
        body: dict[str, object] = {"image_uri": image_uri, "max_dimension": max_dimension}
        return await self._client.call(attempt, "POST", "/resize", ResizeAnswer, body=body)

    async def zoom_check(self, attempt: Attempt, image_uri: str) -> ZoomAnswer:
        """Ask whether the background should be removed."""
        return await self._client.call(attempt, "POST", "/zoom_check", ZoomAnswer, body={"image_uri": image_uri})
