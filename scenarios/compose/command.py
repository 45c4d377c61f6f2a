"""The course of `make test-compose`: build, start, look at the containers, use them, scale, stop."""

import argparse
import asyncio
import base64
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from io import BytesIO
from typing import Any

import httpx
from PIL import Image
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

from fakes.pictures.portrait import necklace_points, portrait
from fakes.registry import SERVICES
from scenarios.compose.engine import PROFILES, ROOT, Compose, ComposeError, MissingError, require_docker
from scenarios.gateway_client import FailedError, GatewayClient, RefusedError, start_body
from scenarios.processes.signals import until_signalled

TAG = "test-compose"
WORKERS = 3
AT_ONCE = 6
SIZE = (1200, 1600)
ZOOM = 0.8
POLLERS_LIMIT_S = 60
HEALTHY_LIMIT_S = 60
OURS = ("gateway", "worker", *(name.replace("_", "-") for name in SERVICES))


class WrongError(Exception):
    """Something does not hold; the message says what."""


def main(arguments: Sequence[str]) -> int:
    """Build, start, use and stop the compose file.

    Exit codes: 0 all of it holds; 1 something does not; 2 Docker or a part of it is missing.
    """
    argparse.ArgumentParser(prog="make test-compose", description=__doc__).parse_args(arguments)
    try:
        return asyncio.run(until_signalled(_course()))
    except MissingError as error:
        return _complain(str(error), 2)
    except (ComposeError, WrongError, RefusedError, FailedError, TimeoutError, httpx.HTTPError) as error:
        return _complain(str(error) or type(error).__name__, 1)


async def _course() -> int:
    _say(f"Docker engine {await require_docker()}")
    async with Compose(TAG) as compose:
        for profile in ("", *PROFILES):
            await compose(*(("--profile", profile) if profile else ()), "config", "--quiet")
        _say(f"docker compose config is clean, alone and in each profile: {', '.join(PROFILES)}")

        _say("building the images ...")
        started = time.monotonic()
        await compose("build", "--quiet")
        _say(f"built in {time.monotonic() - started:.0f} s")
        for image, size in (await compose.image_sizes()).items():
            _say(f"  {image:14} {size}")

        started = time.monotonic()
        await compose.up(workers=1)
        _say(f"up and healthy after {time.monotonic() - started:.0f} s")
        _check_restrictions(await compose.containers())
        _say("every container of ours: not root, read-only root, no capabilities, never restarted")

        url = f"http://{await compose.address('gateway', 8000)}"
        async with GatewayClient(url) as gateway:
            await _expect_healthy(gateway)
            body = _body()
            seconds = await _try_on(gateway, body)
            _say(f"one try-on through it: COMPLETED in {seconds:.1f} s")
            await _scenarios(url)

            await compose.up(workers=WORKERS)
            await _expect_pollers(await compose.address("temporal", 7233))
            times = await asyncio.gather(*(_try_on(gateway, body) for _ in range(AT_ONCE)))
            _say(
                f"scaled to {WORKERS} workers: {AT_ONCE} try-ons at once, all COMPLETED, the last in {max(times):.1f} s"
            )

        await compose("--profile", "frontend", "up", "--detach", "--wait", "fake-gateway")
        async with GatewayClient(f"http://{await compose.address('fake-gateway', 8009)}") as fake:
            _say(f"the fake gateway for a frontend: COMPLETED in {await _try_on(fake, body):.1f} s")

        await compose("stop", "gateway", "worker")
        _check_exits(await compose.containers())
        _say("SIGTERM: gateway and workers ended by themselves with exit code 0")
    _say("stopped; volumes and containers are removed")
    return 0


def _body() -> bytes:
    """Return the start of a portrait from so far that its background is removed: all services are called."""
    points = [{"x": x, "y": y, "label": 1} for x, y in necklace_points(*SIZE, ZOOM)]
    return json.dumps(start_body(portrait(*SIZE, seed=7, zoom=ZOOM), points)).encode()


async def _expect_healthy(gateway: GatewayClient) -> None:
    """Wait until the gateway finds everything: on a busy machine a service is slow for a moment after its start."""
    deadline = time.monotonic() + HEALTHY_LIMIT_S
    while (health := (await gateway.http.get("/health")).raise_for_status().json())["status"] != "healthy":
        _expect(time.monotonic() < deadline, f"after {HEALTHY_LIMIT_S} s /health still says {health}")
        await asyncio.sleep(1)


async def _try_on(gateway: GatewayClient, body: bytes) -> float:
    started = time.monotonic()
    result = await gateway.try_on(body)
    for field in ("fluxResultBase64", "geminiResultBase64"):
        picture = Image.open(BytesIO(base64.b64decode(result[field])))
        picture.load()
        _expect(
            picture.format == "JPEG" and picture.height > picture.width, f"{field} is {picture.format} {picture.size}"
        )
    return time.monotonic() - started


async def _scenarios(url: str) -> None:
    """Run the fault-free scenarios of the catalogue against the deployment, as `make scenarios BASE_URL=…` does."""
    words = (sys.executable, "-m", "scenarios", "run", f"--base-url={url}")
    process = await asyncio.create_subprocess_exec(
        *words, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    said, _ = await process.communicate()
    lines = said.decode(errors="replace").rstrip().splitlines()
    _expect(process.returncode == 0, "\n".join([f"`make scenarios BASE_URL={url}` failed:", *lines[-60:]]))
    _say(f"the fault-free scenarios: {lines[-1] if lines else 'nothing was said'}")


async def _expect_pollers(address: str) -> None:
    """Wait until as many workers poll as there are: a worker is healthy a moment before its first poll arrives."""
    client = await Client.connect(address)
    request = DescribeTaskQueueRequest(
        namespace="default",
        task_queue=TaskQueue(name="tryon"),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
    )
    deadline = time.monotonic() + POLLERS_LIMIT_S
    while True:
        pollers = {poller.identity for poller in (await client.workflow_service.describe_task_queue(request)).pollers}
        if len(pollers) == WORKERS:
            return
        late = time.monotonic() > deadline
        _expect(not late, f"{len(pollers)} workers poll instead of {WORKERS}: {sorted(pollers)}")
        await asyncio.sleep(0.5)


def _check_restrictions(containers: list[dict[str, Any]]) -> None:
    for container in containers:
        service, host = _service(container), container["HostConfig"]
        if service not in OURS:
            continue
        user = container["Config"]["User"].partition(":")[0]
        _expect(user.isdigit() and user != "0", f"{service} runs as user {user or 'root'!r}")
        _expect(host["ReadonlyRootfs"], f"{service} can write its root")
        _expect(host["CapDrop"] == ["ALL"], f"{service} keeps capabilities")
        _expect(container["RestartCount"] == 0, f"{service} was restarted {container['RestartCount']} times")


def _check_exits(containers: list[dict[str, Any]]) -> None:
    for container in containers:
        if _service(container) in {"gateway", "worker"}:
            state = container["State"]
            _expect(
                not state["Running"] and state["ExitCode"] == 0,
                f"{container['Name'][1:]} ended with exit code {state['ExitCode']} after SIGTERM",
            )


def _service(container: dict[str, Any]) -> str:
    name: str = container["Config"]["Labels"]["com.docker.compose.service"]
    return name


def _expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise WrongError(otherwise)


def _say(words: str) -> None:
    print(words, flush=True)  # noqa: T201 - the command's own terminal


def _complain(words: str, code: int) -> int:
    print("\n".join(f"make test-compose: {line}" for line in words.splitlines()), file=sys.stderr)  # noqa: T201 - as above
    return code
