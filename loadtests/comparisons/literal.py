"""The specification's pseudocode, taken literally: pictures travel through Temporal as base64. For comparison alone."""

import base64
from datetime import timedelta
from typing import Any

from temporalio import activity, workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from loadtests.comparisons import plain_steps

TASK_QUEUE = "bench-literal"


@activity.defn
def upload_to_azure(picture: str, content_type: str) -> str:
    """Step 1."""
    del content_type
    return plain_steps.upload(str(activity.info().workflow_id), base64.b64decode(picture))


@activity.defn
def resize_image(uri: str, longest: int) -> str:
    """Step 2."""
    del longest
    return plain_steps.resize(uri)


@activity.defn
def check_zoom(uri: str) -> bool:
    """Step 3."""
    return plain_steps.zoom(uri)


@activity.defn
def remove_background(uri: str) -> str:
    """Step 4."""
    return plain_steps.background(uri)


@activity.defn
def generate_mask(uri: str) -> str:
    """Step 5."""
    return plain_steps.mask(uri)


@activity.defn
def refine_mask(uri: str, mask_uri: str) -> str:
    """Step 6."""
    return plain_steps.refine(uri, mask_uri)


@activity.defn
def generate_images(uri: str, mask_uri: str) -> dict[str, Any]:
    """Step 7."""
    return plain_steps.generate(uri, mask_uri)


ACTIVITIES = (
    upload_to_azure,
    resize_image,
    check_zoom,
    remove_background,
    generate_mask,
    refine_mask,
    generate_images,
)


@workflow.defn
class LiteralWorkflow:
    """The workflow of the specification's Workflow Logic."""

    @workflow.run
    async def run(self, picture: str) -> dict[str, Any]:
        """Take the picture in base64, and return the pictures in base64."""

        async def step(run: Any, seconds: int, *args: Any) -> Any:
            return await workflow.execute_activity(
                run,
                args=args,
                start_to_close_timeout=timedelta(seconds=seconds),
                retry_policy=RetryPolicy(maximum_attempts=2),
            )

        uri = await step(upload_to_azure, 30, picture, "image/jpeg")
        resized = await step(resize_image, 30, uri, 1536)
        subject = resized
        if await step(check_zoom, 30, resized):
            subject = await step(remove_background, 120, resized)
        mask_uri = await step(generate_mask, 120, subject)
        mask_uri = await step(refine_mask, 60, subject, mask_uri)
        answer: dict[str, Any] = await step(generate_images, 180, resized, mask_uri)
        return answer
