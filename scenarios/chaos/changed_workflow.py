"""The workflow in another order, as a later deploy might have it."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from app.pipeline import policies
    from app.pipeline.activities import Activities
    from app.pipeline.models import UploadRequest, WorkflowInput, WorkflowOutput
    from app.pipeline.workflow import JewelryGenerationWorkflow


@workflow.defn(name="JewelryGenerationWorkflow")
class ChangedWorkflow(JewelryGenerationWorkflow):
    """Looks at the zoom of the photo before anything else: an order that the history of an old try-on contradicts."""

    @workflow.run
    async def run(self, input: WorkflowInput) -> WorkflowOutput:  # noqa: A002 - the specification's name
        """Run the steps in the changed order."""
        uploaded = await self._run(Activities.upload_to_azure, UploadRequest(image=input.image), policies.UPLOAD)
        await self._run(Activities.check_zoom, uploaded, policies.ZOOM)
        return await super().run(input)
