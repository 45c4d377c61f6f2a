"""The fake A100: refines masks, and puts the jewellery on."""

import base64
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from fakes import pictures
from fakes.kit.serve import main
from fakes.kit.simulated import Simulated
from fakes.registry import SERVICES
from fakes.settings import ServiceSettings
from fakes.studio import BlobUri, Studio, lied

SERVICE = SERVICES["a100"]

Share = Annotated[float, Field(ge=0, le=1)]


class Health(BaseModel):
    """Whether it takes work, and its free memory in MB."""

    status: str
    gpu_memory_free: int


HEALTHY = Health(status="online", gpu_memory_free=40_000)


class Stroke(BaseModel):
    """A line of the brush: points in shares of width and height, the brush's diameter in pixels."""

    points: list[tuple[Share, Share]] = Field(min_length=1)
    mode: Literal["add", "remove"]
    size: float = Field(gt=0, le=500)


class Refinement(BaseModel):
    """A mask and the strokes to paint on it."""

    image_uri: str
    mask_uri: str
    strokes: list[Stroke]


class Refined(BaseModel):
    """Where the refined mask is."""

    refined_mask_uri: BlobUri


class Generation(BaseModel):
    """The person and where the jewellery goes."""

    image_uri: str
    mask_uri: str


class Metrics(BaseModel):
    """How well the drawn jewellery keeps to the mask."""

    precision: Share
    recall: Share
    iou: Share
    growth_ratio: float = Field(ge=0)


class Generated(BaseModel):
    """The results, with null for the Gemini half when that model is off."""

    result_base64: str = Field(min_length=1)
    result_gemini_base64: str | None
    fidelity_viz_base64: str | None
    fidelity_viz_gemini_base64: str | None
    metrics: Metrics
    metrics_gemini: Metrics | None


def create_app(settings: ServiceSettings) -> Simulated:
    """Return the fake A100."""
    studio = Studio(SERVICE, settings)
    app = studio.app

    @app.get("/health", operation_id="health")
    async def health() -> Health:
        return HEALTHY

    @app.post("/refine_mask", operation_id="refine_mask")
    async def refine_mask(request: Refinement) -> Refined:
        source = await studio.store.get(request.image_uri)
        mask = await studio.store.get(request.mask_uri)
        await studio.takes(source)
        strokes = [pictures.BrushStroke(stroke.points, stroke.mode, stroke.size) for stroke in request.strokes]
        painted = await studio.draw(pictures.paint_strokes, mask, strokes)
        uri = await studio.deliver(request.mask_uri, "-refined.png", painted, source)
        return Refined(refined_mask_uri=uri)

    @app.post("/generate", operation_id="generate")
    async def generate(request: Generation) -> Generated:
        source = await studio.store.get(request.image_uri)
        mask = await studio.store.get(request.mask_uri)
        await studio.takes(source)
        made = await studio.draw(pictures.generate, source, mask, settings.sim_seed, settings.a100_gemini)
        flux = lied(made.flux, source)
        return Generated(
            result_base64=_text(flux),
            result_gemini_base64=_text(made.gemini),
            fidelity_viz_base64=_text(made.flux_viz),
            fidelity_viz_gemini_base64=_text(made.gemini_viz),
            metrics=_metrics(made.metrics),
            metrics_gemini=_metrics(made.metrics_gemini) if made.metrics_gemini else None,
        )

    return studio.fake


def _text(picture: bytes | None) -> str | None:
    return None if picture is None else base64.b64encode(picture).decode()


def _metrics(made: pictures.Fidelity) -> Metrics:
    return Metrics(precision=made.precision, recall=made.recall, iou=made.iou, growth_ratio=made.growth_ratio)


if __name__ == "__main__":
    main(SERVICE.name, SERVICE.port, create_app, ServiceSettings)
