"""What the gateway answers about a try-on: the specification's bodies, with no key more."""

import asyncio
from typing import Annotated, Any, Literal

import pybase64
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from app.errors.request import ResultGoneError
from app.errors.services import AzureNotFoundError
from app.gateway.admission.slots import Slots
from app.gateway.api.held_response import HeldAnswer
from app.gateway.temporal_calls import Snapshot, Status
from app.pictures.photo import MAX_PICTURE_BYTES
from app.pipeline.models import Metrics, WorkflowOutput
from app.services.blob import BlobStore
from app.settings import Settings


class Answer(BaseModel):
    """Base of the answers: camelCase on the wire."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        json_schema_serialization_defaults_required=True,  # `status` is always sent
    )

    def body(self) -> bytes:
        """Return the JSON of it."""
        return self.model_dump_json(by_alias=True).encode()


class Started(Answer):
    """A try-on that was accepted."""

    workflow_id: str
    status: Literal[Status.RUNNING] = Status.RUNNING


class Running(Answer):
    """A try-on under way: percent done, and the step that it is at."""

    workflow_id: str
    status: Literal[Status.RUNNING] = Status.RUNNING
    progress: int
    current_step: str


class FidelityMetrics(Answer):
    """How the drawn jewellery agrees with the asked mask."""

    precision: float
    recall: float
    iou: float
    growth_ratio: float


class Result(Answer):
    """The pictures as base64 JPEG, and their metrics. What a model did not give is null."""

    flux_result_base64: str
    gemini_result_base64: str | None
    flux_metrics: FidelityMetrics
    gemini_metrics: FidelityMetrics | None
    flux_fidelity_viz_base64: str | None
    gemini_fidelity_viz_base64: str | None


class Completed(Answer):
    """A try-on that is done, with its pictures."""

    workflow_id: str
    status: Literal[Status.COMPLETED] = Status.COMPLETED
    result: Result


class FailureAnswer(Answer):
    """Why a try-on failed: a stable code, a message for people, and the step."""

    code: str
    message: str
    failed_step: str


class Failed(Answer):
    """A try-on that failed."""

    workflow_id: str
    status: Literal[Status.FAILED] = Status.FAILED
    error: FailureAnswer


class Cancelled(Answer):
    """A try-on that was cancelled."""

    workflow_id: str
    status: Literal[Status.CANCELLED] = Status.CANCELLED


StatusAnswer = Annotated[Running | Completed | Failed | Cancelled, Field(discriminator="status")]


def without_pictures(snapshot: Snapshot) -> Running | Failed | Cancelled:
    """Return the answer for a try-on that is not COMPLETED."""
    workflow_id = snapshot.workflow_id
    if snapshot.failure is not None:
        return Failed(workflow_id=workflow_id, error=FailureAnswer(**snapshot.failure.model_dump()))
    if snapshot.status is Status.CANCELLED:
        return Cancelled(workflow_id=workflow_id)
    return Running(workflow_id=workflow_id, progress=snapshot.step.progress, current_step=snapshot.step)


class AnswersWithPictures:
    """Answers with result pictures. For the sake of memory, so many are put together at once, and so many sent."""

    def __init__(self, blobs: BlobStore, settings: Settings) -> None:
        """Keep the way to Blob Storage, and the numbers of answers at once."""
        self._blobs = blobs
        self._patience = settings.body_timeout_s
        self._making = asyncio.Semaphore(settings.body_slots)
        self._slots = Slots(settings.result_slots, settings.caller_share, "Too many results at once; try again soon")

    @property
    def sending(self) -> int:
        """How many answers are being made or sent."""
        return self._slots.held

    def answer(self, caller: str, workflow_id: str, output: WorkflowOutput) -> HeldAnswer:
        """Return the answer for a COMPLETED try-on. Its pictures are read when it is sent, within the caller's share.

        Sending raises:
            GatewayBusyError: too many answers are being sent to slow readers.
            ResultGoneError: a picture is no longer there.
            PipelineError: one of the Azure errors.
        """
        slot = self._slots.hold(caller, self._patience)
        return HeldAnswer(lambda: self._completed(workflow_id, output), slot)

    async def _completed(self, workflow_id: str, output: WorkflowOutput) -> bytes:
        async with self._making:
            flux, gemini, flux_fidelity, gemini_fidelity = await asyncio.gather(
                self._base64(output.flux_uri),
                self._base64(output.gemini_uri),
                self._base64(output.flux_fidelity_uri),
                self._base64(output.gemini_fidelity_uri),
            )
            assert flux is not None  # it has a URI
            return Completed(
                workflow_id=workflow_id,
                result=Result(
                    flux_result_base64=flux,
                    gemini_result_base64=gemini,
                    flux_metrics=_metrics(output.flux_metrics),
                    gemini_metrics=_metrics(output.gemini_metrics) if output.gemini_metrics else None,
                    flux_fidelity_viz_base64=flux_fidelity,
                    gemini_fidelity_viz_base64=gemini_fidelity,
                ),
            ).body()

    async def _base64(self, uri: str | None) -> str | None:
        if uri is None:
            return None
        try:
            name = self._blobs.name(uri)
        except ValueError:  # the deployment had another container then
            raise ResultGoneError("The pictures of this try-on are in a container that is not used any more") from None
        try:
            picture = await self._blobs.get(name, max_bytes=MAX_PICTURE_BYTES)
        except AzureNotFoundError:
            raise ResultGoneError("The pictures of this try-on have been deleted") from None
        return pybase64.b64encode_as_string(picture)


def _metrics(metrics: Metrics) -> FidelityMetrics:
    values: dict[str, Any] = metrics.model_dump()
    return FidelityMetrics(**values)
