"""The worker: `python -m app.worker`. It serves two task queues, so that calls to the A100 wait in one of their own."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

import structlog
import uvloop
from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig
from temporalio.worker import Interceptor, Worker, WorkerDeploymentConfig
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from app.attempts.interceptors import PipelineInterceptor
from app.pipeline import policies
from app.pipeline.activities import Activities
from app.pipeline.workflow import JewelryGenerationWorkflow
from app.process.background import count_deaths
from app.process.environment import BadEnvironmentError, read_environment
from app.process.liveness_file import kept_fresh
from app.process.logging import configure_logging
from app.process.loop_lag import loop_lag_logged
from app.process.memory import give_back_freed_memory
from app.process.telemetry import start_telemetry
from app.process.temporal import connect
from app.process.temporal_credentials import credentials_followed
from app.services.assembly import Assembly
from app.settings import Settings

log = structlog.get_logger(__name__)

RUNNER = SandboxedWorkflowRunner(
    # The workflow's own module is checked; what it imports is passed through, or each run would import it again.
    restrictions=SandboxRestrictions.default.with_passthrough_all_modules()
)


@asynccontextmanager
async def working(
    client: Client,
    settings: Settings,
    activities: Activities,
    *,
    interceptors: Sequence[Interceptor] = (),
    workflow_type: type = JewelryGenerationWorkflow,
) -> AsyncIterator[Callable[[Client], None]]:
    """Serve both task queues until the block ends, then drain. Yields a way to go on by another connection.

    Args:
        client: the connection to Temporal.
        settings: the task queue, how many activities and calls to the A100 run at once, how long a drain may last.
        activities: the activities with their clients.
        interceptors: go around the pipeline's own, the first outermost.
        workflow_type: the workflow, where a test deploys a changed one.
    """
    throttle = timedelta(seconds=policies.HEARTBEAT_THROTTLE)
    worker = partial(
        Worker,
        client,
        interceptors=[*interceptors, PipelineInterceptor()],
        graceful_shutdown_timeout=timedelta(seconds=settings.worker_drain_s),
        max_heartbeat_throttle_interval=throttle,
        default_heartbeat_throttle_interval=throttle,
        deployment_config=_versioned(settings),
    )
    pipeline = worker(
        task_queue=settings.task_queue,
        workflows=[workflow_type],
        activities=[
            activities.upload_to_azure,
            activities.resize_image,
            activities.check_zoom,
            activities.remove_background,
            activities.generate_mask,
        ],
        workflow_runner=RUNNER,
        max_concurrent_activities=settings.worker_max_concurrent,
    )
    a100 = worker(
        task_queue=policies.a100_task_queue(settings.task_queue),
        activities=[activities.refine_mask, activities.generate_images],
        max_concurrent_activities=settings.a100_max_concurrent,
    )

    def use(newer: Client) -> None:
        pipeline.client = a100.client = newer

    async with pipeline, a100:
        yield use


async def main(workflow_type: type = JewelryGenerationWorkflow) -> int:
    """Work until SIGINT or SIGTERM; then finish what runs, take nothing new, and leave.

    Args:
        workflow_type: the workflow, where a test deploys a changed one.
    """
    try:
        settings = read_environment()
    except BadEnvironmentError as error:
        print(error, file=sys.stderr)  # noqa: T201 - before there is a log, the operator's terminal
        return 2
    configure_logging(settings)
    give_back_freed_memory()
    telemetry = start_telemetry("tryon-worker")
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sign, stop.set)
    runtime = _runtime(settings)
    if runtime is not None:
        count_deaths(runtime.metric_meter)
    try:
        client = await connect(interceptors=telemetry.interceptors, runtime=runtime)
    except RuntimeError as error:
        log.error("Temporal cannot be reached", reason=str(error))  # noqa: TRY400 - a traceback tells nothing more
        return 1
    assembly = Assembly(settings)
    telemetry.trace_calls(assembly.http)
    async with contextlib.AsyncExitStack() as closing:
        closing.push_async_callback(asyncio.to_thread, telemetry.close)
        closing.push_async_callback(assembly.close)
        alive, lag = kept_fresh(settings.worker_alive_file), loop_lag_logged(settings.loop_lag_log_s)
        # Kept fresh until the drain is over, or a healthcheck would end it.
        reconnect = partial(connect, interceptors=telemetry.interceptors, runtime=runtime)
        async with (
            alive,
            lag,
            working(client, settings, assembly.activities, workflow_type=workflow_type) as use,
            credentials_followed(reconnect, use),
        ):
            log.info("worker started", task_queue=settings.task_queue, a100_max_concurrent=settings.a100_max_concurrent)
            await stop.wait()
            log.info("worker draining", seconds=settings.worker_drain_s)
    log.info("worker stopped")
    return 0


def _versioned(settings: Settings) -> WorkerDeploymentConfig | None:
    """Pin each try-on to the version that began it: it lives for minutes, so the old workers can wait for its end."""
    if settings.worker_build_id is None:
        return None
    return WorkerDeploymentConfig(
        version=WorkerDeploymentVersion(deployment_name=settings.task_queue, build_id=settings.worker_build_id),
        use_worker_versioning=True,
        default_versioning_behavior=VersioningBehavior.PINNED,
    )


def _runtime(settings: Settings) -> Runtime | None:
    if settings.worker_metrics_port is None:
        return None
    address = f"{settings.worker_metrics_host}:{settings.worker_metrics_port}"
    return Runtime(telemetry=TelemetryConfig(metrics=PrometheusConfig(bind_address=address)))


if __name__ == "__main__":
    sys.exit(uvloop.run(main()))
