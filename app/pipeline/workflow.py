"""The workflow of a try-on: nothing but the order of its steps."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from app.errors.temporal import of_step, of_workflow
    from app.pipeline import policies
    from app.pipeline.activities import Activities
    from app.pipeline.models import (
        GenerateRequest,
        MaskRequest,
        RefineRequest,
        ResizeRequest,
        UploadRequest,
        WorkflowInput,
        WorkflowOutput,
    )
    from app.pipeline.steps import Step

MAX_DIMENSION = 1536
"""Pixels of the longer side that every later step works on (specification, Temporal Workflow, step 2)."""

ArgumentT = TypeVar("ArgumentT")
ResultT = TypeVar("ResultT")


@workflow.defn
class JewelryGenerationWorkflow:
    """Takes a user's photo to pictures that wear jewellery."""

    def __init__(self) -> None:
        self._step = Step.UPLOADING_IMAGE

    @workflow.run
    async def run(self, input: WorkflowInput) -> WorkflowOutput:  # noqa: A002 - the specification's name
        """Run the steps in order; a step's final failure ends the try-on with its code, message and failed step."""
        try:
            return await self._try_on(input)
        except ActivityError as error:
            _heed_cancellation()
            raise of_workflow(of_step(self._step, error)) from error

    @workflow.query
    def get_progress(self) -> dict[str, Any]:
        """Answer how far the try-on is (specification, Workflow Logic)."""
        return {"progress": self._step.progress, "currentStep": self._step.value}

    async def _try_on(self, given: WorkflowInput) -> WorkflowOutput:
        uploaded = await self._run(Activities.upload_to_azure, UploadRequest(image=given.image), policies.UPLOAD)

        self._step = Step.RESIZING_IMAGE
        resize = ResizeRequest(image=uploaded, max_dimension=MAX_DIMENSION)
        resized = await self._run(Activities.resize_image, resize, policies.RESIZE)

        self._step = Step.CHECKING_ZOOM
        zoom = await self._run(Activities.check_zoom, resized, policies.ZOOM)

        subject = resized
        if zoom.recommend_bg_removal:
            self._step = Step.REMOVING_BACKGROUND
            subject = await self._run(Activities.remove_background, resized, policies.BACKGROUND)

        self._step = Step.GENERATING_MASK
        asked = MaskRequest(image=subject, points=given.mask_points)
        mask_uri = await self._run(Activities.generate_mask, asked, policies.MASK)

        if given.brush_strokes:
            self._step = Step.REFINING_MASK
            painted = RefineRequest(image=subject, mask_uri=mask_uri, strokes=given.brush_strokes)
            mask_uri = await self._run(Activities.refine_mask, painted, policies.REFINE, on_a100=True)

        self._step = Step.GENERATING_IMAGES
        wanted = GenerateRequest(image=resized, mask_uri=mask_uri)
        generated = await self._run(Activities.generate_images, wanted, policies.GENERATE, on_a100=True)

        self._step = Step.COMPLETED
        return WorkflowOutput(**generated.model_dump(), background_removed=zoom.recommend_bg_removal)

    async def _run(
        self,
        activity: Callable[[Activities, ArgumentT], Awaitable[ResultT]],
        argument: ArgumentT,
        policy: policies.StepPolicy,
        *,
        on_a100: bool = False,
    ) -> ResultT:
        queue = workflow.info().task_queue
        result = await workflow.execute_activity_method(
            activity,
            argument,
            task_queue=policies.a100_task_queue(queue) if on_a100 else queue,
            start_to_close_timeout=policy.start_to_close_timeout,
            heartbeat_timeout=timedelta(seconds=policies.HEARTBEAT_TIMEOUT),
            retry_policy=policy.retry,
            # Not done before the activity is: after CANCELLED no service is called any more.
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )
        _heed_cancellation()
        return result


def _heed_cancellation() -> None:
    """End the try-on when it was cancelled, however its step ended.

    An activity hears of a cancellation with a heartbeat. One that ends before that gives its result or its failure, and
    the SDK then takes the cancellation for dealt with; but the user was told CANCELLED.
    """
    if workflow.cancellation_reason() is not None:
        raise asyncio.CancelledError
