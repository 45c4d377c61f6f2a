"""Record the histories that the replay test replays: `python -m tests.app.pipeline.record_histories` (make histories).

They are made by a production worker on a real stack, without any simulation. Record them anew only together with a
change of the workflow that is meant to break running ones; otherwise a change must replay what is here.
"""

import asyncio
import json
import tempfile
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from temporalio.client import Client, WorkflowFailureError, WorkflowHandle

from app.pipeline.models import MaskPoint, Stroke, WorkflowInput, WorkflowOutput
from app.pipeline.steps import Step
from app.pipeline.workflow import JewelryGenerationWorkflow
from app.services.assembly import Assembly
from app.services.blob import BlobStore
from app.settings import Settings
from app.worker import working
from fakes.pictures import portrait
from scenarios.stack.programs import ALL_PARTS, Options
from scenarios.stack.stack import Stack

HISTORIES = Path(__file__).parent / "histories"
Handle = WorkflowHandle[JewelryGenerationWorkflow, WorkflowOutput]


async def main() -> None:
    """Record one history of each kind."""
    options = Options(parts=ALL_PARTS - {"worker", "gateway"}, profile="instant", temporal_ui=False)
    with tempfile.TemporaryDirectory() as home:
        async with Stack(home=Path(home), options=options) as stack:
            given = {name.lower(): value for name, value in stack.environment.items()}
            settings = Settings.model_validate(given)
            client = await stack.temporal()
            blobs, assembly = BlobStore(settings), Assembly(settings)
            async with working(client, settings, assembly.activities):
                photo = portrait(640, 480, seed=1)
                stroke = Stroke(points=[(0.4, 0.6), (0.6, 0.62)], mode="add", size=20)
                for name, picture, strokes in (
                    ("completed", photo, []),
                    ("completed-with-strokes", photo, [stroke]),
                    ("failed", photo[:9_000], []),
                    ("cancelled", photo, []),
                ):
                    handle = await _start(client, settings, blobs, picture, strokes)
                    if name == "cancelled":
                        await _reach(handle, Step.GENERATING_MASK)
                        await handle.cancel()
                    with suppress(WorkflowFailureError):
                        await handle.result()
                    _write(name, (await handle.fetch_history()).to_json())
            await assembly.close()
            await blobs.close()


async def _start(client: Client, settings: Settings, blobs: BlobStore, photo: bytes, strokes: list[Stroke]) -> Handle:
    workflow_id = str(uuid4())
    await blobs.put(f"staging/{workflow_id}", photo, "image/jpeg")
    points = [MaskPoint(x=0.5, y=0.6, label=1)]
    given = WorkflowInput(image=blobs.uri(f"staging/{workflow_id}"), mask_points=points, brush_strokes=strokes)
    return await client.start_workflow(
        JewelryGenerationWorkflow.run, given, id=workflow_id, task_queue=settings.task_queue
    )


async def _reach(handle: Handle, step: Step) -> None:
    while (await handle.query(JewelryGenerationWorkflow.get_progress))["currentStep"] != step:  # noqa: ASYNC110 - no event tells it
        await asyncio.sleep(0.05)


def _write(name: str, history: str) -> None:
    """Keep what a replay needs, without the names and folders of the machine that recorded it."""
    scrubbed = json.loads(
        history, object_hook=lambda node: node | {key: "" for key in ("identity", "stackTrace") if key in node}
    )
    (HISTORIES / f"{name}.json").write_text(json.dumps(scrubbed, indent=1) + "\n")


if __name__ == "__main__":
    asyncio.run(main())
