"""What the workflow and its activities carry. Only references to pictures and small values: never the pictures."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Fraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
"""A coordinate as a fraction of the picture's width or height, from the left or the top."""

Pair = tuple[Fraction, Fraction]


class Carried(BaseModel):
    """Base of everything that travels through Temporal: immutable, and unknown fields are tolerated across deploys."""

    model_config = ConfigDict(frozen=True)


class MaskPoint(Carried):
    """A point that the user set: 1 where the jewellery goes, 0 where it must not."""

    x: Fraction
    y: Fraction
    label: Literal[0, 1]


class Stroke(Carried):
    """One brush stroke, its points as pairs to keep 2,000 of them under 64 KiB. `size` is a diameter in pixels."""

    points: list[Pair]
    mode: Literal["add", "remove"]
    size: float


class WorkflowInput(Carried):
    """What a try-on starts with: the staged picture's URI (or a small inline picture), points and strokes."""

    image: str
    mask_points: list[MaskPoint]
    brush_strokes: list[Stroke] = []
    session_id: str | None = None


class UploadRequest(Carried):
    """`image` is the URI of a staged blob, or base64 for a small picture."""

    image: str


class Picture(Carried):
    """A picture in Blob Storage and its size in pixels; `digest` tells the resized one from what is made of it."""

    uri: str
    width: int
    height: int
    digest: str | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.width, self.height


class ResizeRequest(Carried):
    """The picture to make smaller, and the longest side that it may have."""

    image: Picture
    max_dimension: int


class ZoomChecked(Carried):
    """The image manipulator's advice."""

    recommend_bg_removal: bool
    zoom_level: float


class MaskRequest(Carried):
    """The picture to segment and the user's points."""

    image: Picture
    points: list[MaskPoint]


class RefineRequest(Carried):
    """The mask to paint on, and the strokes."""

    image: Picture
    mask_uri: str
    strokes: list[Stroke]


class GenerateRequest(Carried):
    """The picture that gets the jewellery, and the mask that says where."""

    image: Picture
    mask_uri: str


class Ticket(Carried):
    """A job at a remote service, as heartbeats keep it. `submitted_at` is Unix seconds."""

    job_id: str
    submitted_at: float


class Metrics(Carried):
    """How the drawn jewellery agrees with the asked mask (specification, POST /generate)."""

    precision: Fraction
    recall: Fraction
    iou: Fraction
    growth_ratio: Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Generated(Carried):
    """The result pictures as blobs; what a model did not give is None."""

    flux_uri: str
    gemini_uri: str | None
    flux_fidelity_uri: str | None
    gemini_fidelity_uri: str | None
    flux_metrics: Metrics
    gemini_metrics: Metrics | None


class WorkflowOutput(Generated):
    """What a completed try-on returns."""

    background_removed: bool


class Failure(Carried):
    """Why a try-on failed, as the details of the workflow's failure carry it to the gateway."""

    code: str
    message: str
    failed_step: str
