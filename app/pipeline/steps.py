"""The steps of a try-on: their names and progress numbers, as the specification's workflow logic fixes them."""

from enum import StrEnum


class Step(StrEnum):
    """What a try-on is doing. The value is the `currentStep` and `failedStep` that the API shows."""

    UPLOADING_IMAGE = "UPLOADING_IMAGE"
    RESIZING_IMAGE = "RESIZING_IMAGE"
    CHECKING_ZOOM = "CHECKING_ZOOM"
    REMOVING_BACKGROUND = "REMOVING_BACKGROUND"
    GENERATING_MASK = "GENERATING_MASK"
    REFINING_MASK = "REFINING_MASK"
    GENERATING_IMAGES = "GENERATING_IMAGES"
    COMPLETED = "COMPLETED"

    @property
    def progress(self) -> int:
        """Percent done when this step begins (specification, Workflow Logic)."""
        return _PROGRESS[self]

    @classmethod
    def of_activity(cls, name: str) -> "Step | None":
        """Return the step that an activity does; nothing for one that only another version of the pipeline has."""
        return _STEPS.get(name)


_PROGRESS = {
    Step.UPLOADING_IMAGE: 5,
    Step.RESIZING_IMAGE: 15,
    Step.CHECKING_ZOOM: 20,
    Step.REMOVING_BACKGROUND: 30,
    Step.GENERATING_MASK: 45,
    Step.REFINING_MASK: 55,
    Step.GENERATING_IMAGES: 70,
    Step.COMPLETED: 100,
}

_STEPS = {
    "upload_to_azure": Step.UPLOADING_IMAGE,
    "resize_image": Step.RESIZING_IMAGE,
    "check_zoom": Step.CHECKING_ZOOM,
    "remove_background": Step.REMOVING_BACKGROUND,
    "generate_mask": Step.GENERATING_MASK,
    "refine_mask": Step.REFINING_MASK,
    "generate_images": Step.GENERATING_IMAGES,
}
