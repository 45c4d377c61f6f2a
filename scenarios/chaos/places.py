"""Where in a try-on a fault strikes: for each step the call that is in flight, and the rule that holds it there."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.pipeline.steps import Step

HOLD_S = 20.0
"""A call that is held takes so long; under every call's deadline, and longer than a fault needs to strike."""

JOB_S = 3.0
"""A job takes so long, so that its first poll finds it under way."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """A step's activity and, unless it is the upload, the service's call that is held.

    Attributes:
        job: the service works by jobs; the second poll is held, so that the job is known to have been polled once.
    """

    step: Step
    activity: str
    service: str | None = None
    operation: str = ""
    job: bool = False

    @property
    def call(self) -> int:
        """The number of the call that is held."""
        return 2 if self.job else 1

    def hold(self, key: str, fault: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """Return the rules that hold this workflow's call, by a delay or another fault."""
        rule = {"service": self.service, "key": key}
        what = dict(fault or {"kind": "delay", "seconds": HOLD_S})
        name = f"hold-{self.operation}-{key}"
        rules = [{**rule, "id": name, "operation": self.operation, "calls": str(self.call), "fault": what}]
        if self.job:
            slow = {"kind": "job_slow", "seconds": JOB_S}
            rules.append({**rule, "id": f"slow-{key}", "operation": "submit", "fault": slow})
        return rules


PLACES = {
    place.step: place
    for place in (
        Place(step=Step.UPLOADING_IMAGE, activity="upload_to_azure"),
        Place(step=Step.RESIZING_IMAGE, activity="resize_image", service="image_manipulator", operation="resize"),
        Place(step=Step.CHECKING_ZOOM, activity="check_zoom", service="image_manipulator", operation="zoom_check"),
        Place(
            step=Step.REMOVING_BACKGROUND, activity="remove_background", service="birefnet", operation="poll", job=True
        ),
        Place(step=Step.GENERATING_MASK, activity="generate_mask", service="sam3", operation="poll", job=True),
        Place(step=Step.REFINING_MASK, activity="refine_mask", service="a100", operation="refine_mask"),
        Place(step=Step.GENERATING_IMAGES, activity="generate_images", service="a100", operation="generate"),
    )
}
