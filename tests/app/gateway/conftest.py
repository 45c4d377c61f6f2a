"""The gateway on real HTTP, beside a real Temporal and a real blob store; only the seven activities are stand-ins."""

import asyncio
import base64
import contextlib
import io
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import httpx
import pytest
import pytest_asyncio
from azure.storage.blob.aio import ContainerClient
from PIL import Image
from temporalio import activity
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker
from typing_extensions import override

from app.gateway import open_gateway
from app.gateway.__main__ import GatewayServer, listen, server_for
from app.pipeline.activities import Activities
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
from app.pipeline.policies import a100_task_queue
from app.pipeline.workflow import JewelryGenerationWorkflow
from app.services.blob import BlobStore
from app.settings import Settings
from app.worker import RUNNER
from scenarios.processes.probes import BLOB_API_VERSION
from scenarios.stack.programs import ACCOUNT_KEY, Options
from scenarios.stack.stack import Stack

METRICS = Metrics(precision=0.98, recall=0.95, iou=0.92, growth_ratio=1.02)


class Backend(Activities):
    """The activities' stand-ins, of the same signatures. A step in `held` waits until `release` is set.

    One in `broken` fails. While it is `deaf` no step sends heartbeats, so that none hears of a cancellation.
    `container` is what the results' URIs name, where it is not the store's own.
    """

    def __init__(self, blobs: BlobStore) -> None:  # the clients of the real ones are not there
        self.blobs = blobs
        self.release = asyncio.Event()
        self.reset()

    def reset(self) -> None:
        self.release.set()  # whoever still waits there
        self.release = asyncio.Event()
        self.held: set[str] = set()
        self.broken: dict[str, ApplicationError] = {}
        self.gemini = True
        self.deaf = False
        self.container: str | None = None

    async def _step(self) -> str:
        info = activity.info()
        if info.activity_type in self.held:
            release = self.release
            while not release.is_set():
                if not self.deaf:
                    activity.heartbeat()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(release.wait(), 0.1)
        if error := self.broken.get(info.activity_type):
            raise error
        assert info.workflow_id is not None
        return info.workflow_id

    @override
    @activity.defn
    async def upload_to_azure(self, _given: UploadRequest) -> Picture:
        return Picture(uri=self.blobs.uri(f"{await self._step()}.jpg"), width=96, height=64)

    @override
    @activity.defn
    async def resize_image(self, given: ResizeRequest) -> Picture:
        await self._step()
        return given.image

    @override
    @activity.defn
    async def check_zoom(self, _given: Picture) -> ZoomChecked:
        await self._step()
        return ZoomChecked(recommend_bg_removal=False, zoom_level=0.9)

    @override
    @activity.defn
    async def remove_background(self, given: Picture) -> Picture:
        await self._step()
        return given

    @override
    @activity.defn
    async def generate_mask(self, given: MaskRequest) -> str:
        await self._step()
        return given.image.uri

    @override
    @activity.defn
    async def refine_mask(self, given: RefineRequest) -> str:
        await self._step()
        return given.mask_uri

    @override
    @activity.defn
    async def generate_images(self, _given: GenerateRequest) -> Generated:
        workflow_id = await self._step()
        kinds = ("flux", "gemini", "flux-fidelity", "gemini-fidelity") if self.gemini else ("flux", "flux-fidelity")
        for kind in kinds:
            await self.blobs.put(f"{workflow_id}-{kind}.jpg", f"{kind} of {workflow_id}".encode(), "image/jpeg")
        container = self.container or self.blobs.container
        uris = {kind: f"azure://{container}/{workflow_id}-{kind}.jpg" for kind in kinds}
        return Generated(
            flux_uri=uris["flux"],
            gemini_uri=uris.get("gemini"),
            flux_fidelity_uri=uris["flux-fidelity"],
            gemini_fidelity_uri=uris.get("gemini-fidelity"),
            flux_metrics=METRICS,
            gemini_metrics=METRICS if self.gemini else None,
        )


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    options = Options(parts=frozenset({"temporal", "azurite"}), temporal_ui=False, in_memory=True)
    async with Stack(home=tmp_path_factory.mktemp("stack"), options=options) as stack:
        yield stack


@pytest.fixture(scope="session")
def settings(stack: Stack) -> Settings:
    environment = {name.lower(): value for name, value in stack.environment.items()}
    return Settings.model_validate(environment | {"task_queue": f"q-{uuid.uuid4()}", "gateway_port": "0"})


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def client(stack: Stack) -> Client:
    return await stack.temporal()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def blobs(settings: Settings) -> AsyncIterator[BlobStore]:
    store = BlobStore(settings, retries=2)
    yield store
    await store.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def container(settings: Settings) -> AsyncIterator[ContainerClient]:
    """The container of the pictures, for what production never does."""
    async with ContainerClient(
        settings.azure_blob_endpoint, settings.azure_container, credential=ACCOUNT_KEY, api_version=BLOB_API_VERSION
    ) as client:
        yield client


@asynccontextmanager
async def working(client: Client, settings: Settings, backend: Backend) -> AsyncIterator[None]:
    """Workers with these stand-ins, for the task queue of the settings."""
    queue = settings.task_queue
    steps: list[Callable[..., Any]] = [
        backend.upload_to_azure,
        backend.resize_image,
        backend.check_zoom,
        backend.remove_background,
        backend.generate_mask,
    ]
    worker = partial(Worker, client, max_heartbeat_throttle_interval=timedelta(seconds=0.2))
    pipeline = worker(task_queue=queue, workflows=[JewelryGenerationWorkflow], activities=steps, workflow_runner=RUNNER)
    a100 = worker(task_queue=a100_task_queue(queue), activities=[backend.refine_mask, backend.generate_images])
    async with pipeline, a100:
        yield


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def running_backend(client: Client, settings: Settings, blobs: BlobStore) -> AsyncIterator[Backend]:
    backend = Backend(blobs)
    async with working(client, settings, backend):
        yield backend


@pytest.fixture(autouse=True)
def backend(running_backend: Backend) -> Backend:
    """The worker, with nothing held and nothing broken."""
    running_backend.reset()
    return running_backend


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 10) -> None:
    """Ask again and again until it is so."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - what it waits for is in other processes
            await asyncio.sleep(0.02)


@dataclass(frozen=True)
class Served:
    """A gateway that listens, and a client for it."""

    app: Any
    port: int
    http: httpx.AsyncClient
    server: GatewayServer


@asynccontextmanager
async def serving(settings: Settings, client: Client, *, proxies: str = "") -> AsyncIterator[Served]:
    async with open_gateway(settings, client) as app:
        listener = listen("127.0.0.1", 0)
        port = listener.getsockname()[1]
        server = server_for(app, settings.model_copy(update={"forwarded_allow_ips": proxies}))
        server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]  # Ctrl-C is pytest's
        serve = asyncio.create_task(server.serve(sockets=[listener]))
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False) as http:
            try:
                await http.get("/livez")
                yield Served(app, port, http, server)
            finally:
                server.should_exit = True
                await serve
                listener.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def gateway(settings: Settings, client: Client) -> AsyncIterator[Served]:
    async with serving(settings, client) as served:
        yield served


@pytest.fixture(scope="session")
def http(gateway: Served) -> httpx.AsyncClient:
    return gateway.http


def jpeg(colour: str = "red", size: tuple[int, int] = (96, 64)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "JPEG")
    return out.getvalue()


def body(**changes: Any) -> dict[str, Any]:
    """A good body of a start, with these fields changed; a field that is `...` is left out."""
    good: dict[str, Any] = {
        "originalImageBase64": base64.b64encode(jpeg()).decode(),
        "maskPoints": [{"x": 0.5, "y": 0.3, "label": 1}, {"x": 0.1, "y": 0.8, "label": 0}],
    }
    return {key: value for key, value in (good | changes).items() if value is not ...}
