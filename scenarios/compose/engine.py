"""Docker and its compose file as a context: built, up and healthy inside, gone with its volumes afterwards."""

import asyncio
import json
import os
import shutil
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from fakes.registry import SERVICES

ROOT = Path(__file__).resolve().parents[2]
# What docker itself needs of the user's environment. The rest stays out, and so does .env: what they say speaks of
# another deployment.
INHERITED = ("PATH", "HOME", "LANG", "DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "BUILDX_CONFIG", "SSL_CERT_FILE")
PROFILES = ("load", "observability", "frontend")
PUBLISHED = ("GATEWAY", "FAKE_GATEWAY", *(name.upper() for name in SERVICES), "AZURITE", "TEMPORAL", "TEMPORAL_UI")
START_LIMIT_S = 600

# What is missing, and the Debian and Ubuntu packages that have it.
NEEDS = (
    (("docker", "--version"), "the docker command", "docker.io, or docker-ce-cli of Docker's own repository"),
    (("docker", "compose", "version"), "docker compose", "docker-compose (Debian), docker-compose-v2 (Ubuntu)"),
    (("docker", "buildx", "version"), "docker buildx", "docker-buildx"),
    (("docker", "info"), "a running Docker engine that this user may use", "docker.io; then `systemctl start docker`"),
)


class MissingError(Exception):
    """Something of the system is missing; the message says what, and which package has it."""


class ComposeError(Exception):
    """A docker command failed; the message has its last words."""


async def require_docker() -> str:
    """Return the engine's version.

    Raises:
        MissingError: no engine, or not all of its commands.
    """
    for words, what, package in NEEDS:
        if shutil.which(words[0]) is None or (await _run(words, os.environ))[0] != 0:
            raise MissingError(f"{what} is needed, and there is none (`{' '.join(words)}`).\nSystem package: {package}")
    _, version = await _run(("docker", "version", "--format", "{{.Server.Version}}"), os.environ)
    return version.strip()


class Compose:
    """One project of docker-compose.yml, with a name and free ports of its own."""

    def __init__(self, tag: str) -> None:
        """Prepare the words and the environment; nothing is started. Images get this tag."""
        self.tag = tag
        self.project = f"tryon-test-{os.getpid()}"
        inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
        self._environment = inherited | {f"{name}_PORT": "0" for name in PUBLISHED} | {"TRYON_TAG": tag}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None and issubclass(kind, Exception):
            for line in (await self("logs", "--no-color", "--tail", "8", check=False)).splitlines():
                print(f"  {line}", file=sys.stderr)  # noqa: T201 - the command's own terminal
        await asyncio.shield(self("down", "--volumes", "--remove-orphans", "--timeout", "10", check=False))

    async def __call__(self, *words: str, check: bool = True, environment: Mapping[str, str] | None = None) -> str:
        """Run `docker compose` with these words and return what it says.

        Raises:
            ComposeError: it failed, and `check` is on.
        """
        command = (
            "docker",
            "compose",
            "--ansi",
            "never",
            "--project-name",
            self.project,
            "--env-file",
            os.devnull,
            *words,
        )
        code, said = await _run(command, self._environment | dict(environment or {}))
        if code and check:
            last = "\n".join(said.splitlines()[-30:])
            raise ComposeError(f"`docker compose {' '.join(words)}` ended with {code}:\n{last}")
        return said

    async def up(self, workers: int) -> None:
        """Start what is not running yet, and wait until everything is healthy."""
        limit = str(START_LIMIT_S)
        await self("up", "--detach", "--wait", "--wait-timeout", limit, "--no-build", "--scale", f"worker={workers}")

    async def address(self, service: str, port: int) -> str:
        """Return `host:port` under which a container's port is published on this machine."""
        return (await self("port", service, str(port))).strip()

    async def containers(self) -> list[dict[str, Any]]:
        """Return what the engine knows of each container, the ended ones too."""
        ids = (await self("ps", "--all", "--quiet")).split()
        _, said = await _run(("docker", "inspect", *ids), self._environment)
        found: list[dict[str, Any]] = json.loads(said)
        return found

    async def image_sizes(self) -> dict[str, str]:
        """Return the size of each image that was built, as docker counts it."""
        form = "{{.Repository}} {{.Size}}"
        _, said = await _run(("docker", "images", "--format", form, "--filter", f"reference=tryon*:{self.tag}"), None)
        return dict(line.split(maxsplit=1) for line in sorted(said.splitlines()))


async def _run(words: tuple[str, ...], environment: Mapping[str, str] | None) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *words,
        env=environment,
        cwd=ROOT,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,  # Ctrl-C reaches this command alone, which then takes everything down in order
    )
    try:
        said, _ = await process.communicate()
    except asyncio.CancelledError:
        process.send_signal(signal.SIGTERM)
        await process.wait()
        raise
    return process.returncode or 0, said.decode(errors="replace")
