"""The seven activities. Each calls its service, looks at what came back, and returns only small things."""

from functools import partial

import structlog
from temporalio import activity

from app.attempts.attempt import Attempt
from app.errors.request import InvalidImageError
from app.errors.services import A100_ERRORS, BIREFNET_ERRORS, IMAGE_MANIPULATOR_ERRORS, SAM3_ERRORS, A100BadAnswerError
from app.names import photo_blob, staged_blob
from app.pictures import result_checks
from app.pictures.base64_text import Base64Error, decode_base64
from app.pictures.decode_pool import DecodePool
from app.pictures.photo import MAX_PICTURE_BYTES, accept, upright_jpeg
from app.pictures.results import Check, Results
from app.pipeline import policies
from app.pipeline.models import (
    Generated,
    GenerateRequest,
    MaskRequest,
    Metrics,
    Picture,
    RefineRequest,
    ResizeRequest,
    UploadRequest,
    ZoomChecked,
)
from app.services.a100 import A100
from app.services.blob import BlobStore
from app.services.image_manipulator import ImageManipulator
from app.services.remote_job import RemoteJobs

log = structlog.get_logger(__name__)

FILES_PER_SLOT = 3
"""Photos that are read, worked on or being written for each that may be decoded: so work goes on beside waiting."""


class Activities:
    """The activities with their clients. One instance serves all attempts of a worker process."""

    def __init__(
        self,
        *,
        blobs: BlobStore,
        image_manipulator: ImageManipulator,
        birefnet: RemoteJobs,
        sam3: RemoteJobs,
        a100: A100,
        picture_slots: int,
    ) -> None:
        """Keep the clients. `picture_slots` photos of 12 megapixels are decoded at once, or as many pixels."""
        self._blobs = blobs
        self._image_manipulator = image_manipulator
        self._birefnet = birefnet
        self._sam3 = sam3
        self._a100 = a100
        self._decode_pool = DecodePool(picture_slots, files=FILES_PER_SLOT * picture_slots)
        self._results = Results(blobs)

    @activity.defn
    async def upload_to_azure(self, request: UploadRequest) -> Picture:
        """Check the whole picture, turn it upright, and store it as `{workflow_id}.jpg`."""
        attempt = Attempt.begin(policies.UPLOAD)
        name = photo_blob(attempt.workflow_id)
        async with self._decode_pool.files:
            photo = accept(await self._posted(attempt, request.image))
            upright = await self._decode_pool.work(photo.pixels, upright_jpeg, photo)
            del photo  # what is written may be as large
            await self._blobs.put(name, upright.data, "image/jpeg", deadline=attempt.deadline)
        return Picture(uri=self._blobs.uri(name), width=upright.width, height=upright.height)

    @activity.defn
    async def resize_image(self, request: ResizeRequest) -> Picture:
        """Have the picture made smaller, and check the size that came out."""
        attempt = Attempt.begin(policies.RESIZE)
        answer = await self._image_manipulator.resize(attempt, request.image.uri, request.max_dimension)
        size = (answer.new_width, answer.new_height)
        if (answer.original_width, answer.original_height) != request.image.size:
            raise IMAGE_MANIPULATOR_ERRORS.bad_answer("The image manipulator resized a picture of another size")
        if not _fits(request.image.size, size, request.max_dimension):
            raise IMAGE_MANIPULATOR_ERRORS.bad_answer(
                f"The image manipulator made {size} out of {request.image.size} pixels"
            )
        check = partial(result_checks.check_resized, size=size)
        resized = await self._results.check(attempt, answer.resized_uri, IMAGE_MANIPULATOR_ERRORS, check)
        return Picture(uri=resized.uri, width=size[0], height=size[1], digest=resized.digest)

    @activity.defn
    async def check_zoom(self, image: Picture) -> ZoomChecked:
        """Ask whether the background should be removed."""
        attempt = Attempt.begin(policies.ZOOM)
        answer = await self._image_manipulator.zoom_check(attempt, image.uri)
        return ZoomChecked(recommend_bg_removal=answer.recommend_bg_removal, zoom_level=answer.zoom_level)

    @activity.defn
    async def remove_background(self, image: Picture) -> Picture:
        """Have the background removed by a job, and check the cut-out."""
        attempt = Attempt.begin(policies.BACKGROUND)
        cutout = partial(result_checks.check_cutout, size=image.size)
        check = partial(self._results.check, attempt, errors=BIREFNET_ERRORS, check=cutout)
        made = await self._birefnet.run(attempt, {"image_uri": image.uri}, check)
        return Picture(uri=made.uri, width=image.width, height=image.height)

    @activity.defn
    async def generate_mask(self, request: MaskRequest) -> str:
        """Have the mask made by a job, check it against picture and points, and return its URI."""
        attempt = Attempt.begin(policies.MASK)
        image, points = request.image, request.points
        mask = partial(result_checks.check_mask, size=image.size, points=points)
        check = partial(self._results.check, attempt, errors=SAM3_ERRORS, check=mask)
        body: dict[str, object] = {
            "image_uri": image.uri,
            "points": [[point.x, point.y] for point in points],
            "labels": [point.label for point in points],
        }
        return (await self._sam3.run(attempt, body, check)).uri

    @activity.defn
    async def refine_mask(self, request: RefineRequest) -> str:
        """Have the strokes painted into the mask, and return the painted mask's URI."""
        attempt = Attempt.begin(policies.REFINE)
        image, strokes = request.image, request.strokes
        answer = await self._a100.refine_mask(attempt, image.uri, request.mask_uri, strokes)
        check = partial(result_checks.check_refined_mask, size=image.size, strokes=strokes)
        return (await self._results.check(attempt, answer.refined_mask_uri, A100_ERRORS, check)).uri

    @activity.defn
    async def generate_images(self, request: GenerateRequest) -> Generated:
        """Have the final pictures made, check them, and store each as a blob."""
        attempt = Attempt.begin(policies.GENERATE)
        answer = await self._a100.generate(attempt, request.image.uri, request.mask_uri)
        final = partial(result_checks.check_generated, size=request.image.size, original=request.image.digest)
        fidelity = result_checks.check_fidelity
        flux_uri = await self._results.store(attempt, "flux", answer.result_base64, A100_ERRORS, final)
        gemini_uri = await self._optional(attempt, "gemini", answer.result_gemini_base64, final)
        flux_fidelity_uri = await self._optional(attempt, "flux-fidelity", answer.fidelity_viz_base64, fidelity)
        # What is said of a picture that is not there would be said of nothing.
        gemini_fidelity, gemini_metrics = (
            (answer.fidelity_viz_gemini_base64, answer.metrics_gemini) if gemini_uri else (None, None)
        )
        return Generated(
            flux_uri=flux_uri,
            gemini_uri=gemini_uri,
            flux_fidelity_uri=flux_fidelity_uri,
            gemini_fidelity_uri=await self._optional(attempt, "gemini-fidelity", gemini_fidelity, fidelity),
            flux_metrics=Metrics(**answer.metrics.model_dump()),
            gemini_metrics=Metrics(**gemini_metrics.model_dump()) if gemini_metrics else None,
        )

    async def _optional(self, attempt: Attempt, name: str, picture: str | None, check: Check) -> str | None:
        """Store a picture that may be missing. A broken one is left out: it is not worth the good ones."""
        if picture is None:
            return None
        try:
            return await self._results.store(attempt, name, picture, A100_ERRORS, check)
        except A100BadAnswerError as error:
            log.warning("optional result left out", result=name, reason=error.message)
            return None

    async def _posted(self, attempt: Attempt, image: str) -> bytes:
        """Return what the user posted: the staged blob, or a small inline picture."""
        if not image.startswith("azure://"):
            try:
                return decode_base64(image)
            except Base64Error as error:
                raise InvalidImageError("The picture is not base64") from error
        staged = staged_blob(attempt.workflow_id)
        if image != self._blobs.uri(staged):
            raise InvalidImageError("The picture is not the one that was staged for this try-on")
        return await self._blobs.get(staged, max_bytes=MAX_PICTURE_BYTES, deadline=attempt.deadline)


def _fits(original: tuple[int, int], new: tuple[int, int], max_dimension: int) -> bool:
    """Say whether a resized picture keeps the aspect ratio to a pixel, is not enlarged, and is as large as allowed."""
    scale = min(1.0, max_dimension / max(original))
    return all(abs(side * scale - made) <= 1 for side, made in zip(original, new, strict=True))
