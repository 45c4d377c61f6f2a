"""The checks. Each ends within its limit and never raises: what goes wrong is a finding."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from uuid import uuid4

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    DescribeTaskQueueRequest,
    GetSystemInfoRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError

from app.attempts.attempt import Attempt
from app.attempts.deadline import Deadline
from app.attempts.heartbeat import Heart
from app.doctor.advice import advice, told
from app.doctor.findings import Finding, Verdict
from app.doctor.reaching import LIMIT, Unreachable, service_kind, store_kind
from app.doctor.samples import SIDE, mask, photo
from app.errors import PipelineError
from app.pipeline.models import Stroke
from app.pipeline.policies import GENERATE, JOB_LIMIT, RESIZE, ZOOM, a100_task_queue
from app.process.temporal import configuration, connect
from app.services.a100 import A100
from app.services.assembly import Pinged, ServiceClients
from app.services.remote_job import RemoteJobs
from app.settings import Settings

GPU_LIMIT = GENERATE.start_to_close + JOB_LIMIT
GPU_SAVED = "answers; its shapes are not looked at, since that costs GPU time (--gpu looks)"


class Checks:
    """Every check of one configuration, over the production's own clients."""

    def __init__(self, settings: Settings, services: ServiceClients, *, gpu: bool) -> None:
        """Keep the parts; `gpu` allows work that a real service would need its GPU for."""
        self._settings = settings
        self._services = services
        self._http = services.http
        self._blobs = services.blobs
        self._gpu = gpu
        self._name = f"doctor-{uuid4()}"

    async def run(self) -> list[Finding]:
        """Check everything. The blob store comes first: the services' checks put their pictures there."""
        store = await self.blob_store()
        pictures = store.verdict is not Verdict.BAD
        settings = self._settings
        return [
            store,
            *await asyncio.gather(
                self.temporal(),
                self.image_manipulator(pictures),
                self.jobs("BiRefNet", settings.birefnet_url, self._services.birefnet, pictures),
                self.jobs("SAM3", settings.sam3_url, self._services.sam3, pictures),
            ),
            *await self.a100s(pictures),
        ]

    async def blob_store(self) -> Finding:
        """Write one small blob and read it again, as `doctor/probe`: the same one each time."""
        address, kind = self._settings.azure_blob_endpoint, "?"

        def bad(says: str, advice: str) -> Finding:
            return Finding("blob store", address, Verdict.BAD, kind, says, advice)

        try:
            kind = await store_kind(self._http, address)
            async with asyncio.timeout(LIMIT):
                await self._blobs.put("doctor/probe", self._name.encode(), "text/plain")
                await self._blobs.get("doctor/probe", max_bytes=1000)
        except Unreachable as error:
            return bad(str(error), "Is it up? Check AZURE_BLOB_ENDPOINT.")
        except PipelineError as error:
            return bad(told(error, address), error.advice)
        except TimeoutError:
            return bad(f"no answer within {LIMIT:g} s", "Look at the network between.")
        says = f"wrote a blob to {self._settings.azure_container} and read it, by {self._settings.opens_azure}"
        if kind == "real" and not address.startswith("https:"):
            return Finding("blob store", address, Verdict.WARNING, kind, f"{says}, without TLS", "Use https.")
        return Finding("blob store", address, Verdict.GOOD, kind, says)

    async def temporal(self) -> Finding:
        """Connect, look at the namespace, and see whether workers poll both task queues."""
        config = configuration()
        where = f"{config['target_host']}, namespace {config['namespace']}"
        try:
            async with asyncio.timeout(LIMIT):
                client = await connect()
                await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=client.namespace))
                version = (await client.workflow_service.get_system_info(GetSystemInfoRequest())).server_version
                pollers = await self._pollers(client)
        except TimeoutError:
            return Finding("Temporal", where, Verdict.BAD, "?", f"no answer within {LIMIT:g} s", _TEMPORAL_ADVICE)
        except RPCError as error:
            said = f"refused: {error.status.name.lower().replace('_', ' ')}: {error.message}"
            return Finding("Temporal", where, Verdict.BAD, "?", said, "Check TEMPORAL_NAMESPACE and TEMPORAL_API_KEY.")
        except RuntimeError as error:  # how the SDK says that it could not connect
            said = str(error).partition(":")[0] or "cannot connect"
            return Finding("Temporal", where, Verdict.BAD, "?", said, _TEMPORAL_ADVICE)
        idle = [queue for queue, number in pollers.items() if not number]
        said = f"server {version}; " + ", ".join(f"{number} polling {queue}" for queue, number in pollers.items())
        if idle:
            advice = "Start a worker with the same TASK_QUEUE: python -m app.worker"
            return Finding("Temporal", where, Verdict.WARNING, "real", said, advice)
        return Finding("Temporal", where, Verdict.GOOD, "real", said)

    async def image_manipulator(self, pictures: bool) -> Finding:
        """Have a small picture resized and judged; that needs no GPU."""
        url = self._settings.image_manipulator_url
        client = self._services.image_manipulator

        async def look() -> str:
            if not pictures:
                return "answers; its shapes are not looked at, since that needs the blob store"
            await self._blobs.put(f"{self._name}.jpg", photo(), "image/jpeg")
            uri = self._blobs.uri(f"{self._name}.jpg")
            resized = await client.resize(self._attempt(RESIZE.deadline), uri, SIDE // 2)
            await self._blobs.info(self._blobs.name(resized.resized_uri))
            await client.zoom_check(self._attempt(ZOOM.deadline), resized.resized_uri)
            return "resize and zoom_check answer as the pipeline needs"

        return await self._service("image manipulator", url, client, look, RESIZE.deadline + ZOOM.deadline)

    async def jobs(self, name: str, url: str, client: RemoteJobs, pictures: bool) -> Finding:
        """With `gpu`: have one job done."""

        async def look() -> str:
            if not (self._gpu and pictures):
                return GPU_SAVED
            uri = self._blobs.uri(f"{self._name}-{name}.jpg")
            await self._blobs.put(self._blobs.name(uri), photo(), "image/jpeg")
            body: dict[str, object] = {"image_uri": uri}
            if client is self._services.sam3:
                body |= {"points": [[0.5, 0.5]], "labels": [1]}
            await client.run(self._attempt(JOB_LIMIT), body, self._exists)
            return "a job was done, and its result is there"

        return await self._service(name, url, client, look, GPU_LIMIT)

    async def a100s(self, pictures: bool) -> list[Finding]:
        """Look at each known address. One that is online is enough: the others are then a warning."""
        urls = self._settings.a100_urls
        found = list(await asyncio.gather(*(self._a100(url, pictures) for url in urls)))
        if any(finding.verdict is Verdict.GOOD for finding in found):
            return [
                Finding(f.part, f.address, Verdict.WARNING, f.kind, f.says, f.advice) if f.verdict is Verdict.BAD else f
                for f in found
            ]
        return found

    async def _a100(self, url: str, pictures: bool) -> Finding:
        a100 = A100(self._http, (url,))

        async def look() -> str:
            if not (self._gpu and pictures):
                return f"online; {GPU_SAVED.partition('; ')[2]}"
            names = f"{self._name}-A100.jpg", f"{self._name}-A100-mask.png"
            await self._blobs.put(names[0], photo(), "image/jpeg")
            await self._blobs.put(names[1], mask(), "image/png")
            attempt = self._attempt(GENERATE.deadline)
            strokes = [Stroke(points=[(0.5, 0.5), (0.6, 0.5)], mode="add", size=10)]
            uris = self._blobs.uri(names[0]), self._blobs.uri(names[1])
            refined = await a100.refine_mask(attempt, *uris, strokes)
            await self._exists(refined.refined_mask_uri)
            await a100.generate(attempt, *uris)
            return "online; refine_mask and generate answer as the pipeline needs"

        return await self._service("A100", url, a100, look, GPU_LIMIT)

    async def _service(
        self, part: str, url: str, client: Pinged, look: Callable[[], Awaitable[str]], limit: float
    ) -> Finding:
        """See whether a service is there, as long as a try-on waits for a cold one; then `look`, in `limit`."""
        kind, began = "?", time.monotonic()
        try:
            await client.ping(Deadline(LIMIT if isinstance(client, A100) else JOB_LIMIT))
            late = time.monotonic() - began
            async with asyncio.timeout(limit):
                kind = await service_kind(self._http, url)
                return self._found(part, url, kind, await look(), late)
        except PipelineError as error:
            return Finding(part, url, Verdict.BAD, kind, told(error, url), advice(error, part))
        except ValueError as error:  # a URI that points out of the container
            return Finding(part, url, Verdict.BAD, kind, f"the URI that it answered {error}", "Run the contract suite.")
        except TimeoutError:
            return Finding(part, url, Verdict.BAD, kind, f"not done within {limit:g} s", "Look at its load.")

    @staticmethod
    def _found(part: str, url: str, kind: str, says: str, late: float) -> Finding:
        if late <= LIMIT:
            return Finding(part, url, Verdict.GOOD, kind, says)
        says = f"{says}; its first answer took {late:.0f} s: it was starting, as on hosts that scale to zero"
        todo = f"A try-on waits for it, up to {JOB_LIMIT:.0f} s; have its host keep one warm, if that is too slow."
        return Finding(part, url, Verdict.WARNING, kind, says, todo)

    async def _pollers(self, client: Client) -> dict[str, int]:
        queues = self._settings.task_queue, a100_task_queue(self._settings.task_queue)
        found = {}
        for queue in queues:
            request = DescribeTaskQueueRequest(
                namespace=client.namespace,
                task_queue=TaskQueue(name=queue),
                task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
            )
            found[queue] = len((await client.workflow_service.describe_task_queue(request)).pollers)
        return found

    async def _exists(self, uri: str) -> None:
        await self._blobs.info(self._blobs.name(uri))

    def _attempt(self, seconds: float) -> Attempt:
        """Return what the clients take for an attempt of an activity."""
        deadline = Deadline(seconds)
        return Attempt(self._name, "doctor", 1, deadline, deadline, _Silent(None))


_TEMPORAL_ADVICE = "Is it up? Check TEMPORAL_ADDRESS, and for Temporal Cloud TEMPORAL_API_KEY or the TLS files."


class _Silent(Heart):
    """The heart of no activity."""

    def beat(self) -> None:
        """Tell nobody."""
