"""The services that have fakes, written once: names, titles, ports, operations, and how each is made.

A further service is a row here and a module with `create_app` (docs/extending.md). This module imports none of them, so
that whoever needs a name does not pay for pictures.
"""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

from fakes.kit import wire
from fakes.kit.calls import Operation
from fakes.kit.simulated import Simulated
from fakes.settings import ServiceSettings

__all__ = ["BLOB", "SERVICES", "Operation", "Service"]


@dataclass(frozen=True, slots=True)
class Service:
    """One service: its name in rules, for people, in the file system, and what it can be asked.

    Attributes:
        name: the name that rules use.
        title: its name for people.
        port: where its fake listens unless told otherwise.
        module: of its fake; `python -m MODULE` serves it, and its `create_app(settings)` makes it.
        operations: what it can be asked, in the order of the documentation.
    """

    name: str
    title: str
    port: int
    module: str
    operations: tuple[Operation, ...]

    @property
    def control_port(self) -> int:
        """Where its fake's control plane listens beside a stack."""
        return self.port + wire.CONTROL_PORT_OFFSET

    def operation(self, name: str) -> Operation:
        """Return the operation of that name.

        Raises:
            KeyError: it has none.
        """
        for operation in self.operations:
            if operation.name == name:
                return operation
        raise KeyError(f"{self.name} has no operation {name!r}")

    def create_app(self, settings: ServiceSettings) -> Simulated:
        """Return the fake. Its module is imported by the first call."""
        make = cast("Callable[[ServiceSettings], Simulated]", importlib.import_module(self.module).create_app)
        return make(settings)


SERVICES: Mapping[str, Service] = {
    service.name: service
    for service in (
        Service(
            "image_manipulator",
            "Image manipulator",
            8005,
            "fakes.image_manipulator",
            (
                Operation("resize", "POST", "/resize", makes="photo", works=True),
                Operation("zoom_check", "POST", "/zoom_check", works=True),
            ),
        ),
        Service(
            "birefnet",
            "BiRefNet",
            8006,
            "fakes.birefnet",
            (
                Operation("submit", "POST", "/jobs", makes="cutout", job="submit", works=True),
                Operation("poll", "GET", "/jobs/{job_id}", job="poll"),
            ),
        ),
        Service(
            "sam3",
            "SAM3",
            8007,
            "fakes.sam3",
            (
                Operation("submit", "POST", "/jobs", makes="mask", job="submit", works=True),
                Operation("poll", "GET", "/jobs/{job_id}", job="poll"),
            ),
        ),
        Service(
            "a100",
            "A100",
            8008,
            "fakes.a100",
            (
                Operation("health", "GET", "/health"),
                Operation("refine_mask", "POST", "/refine_mask", makes="mask", works=True),
                Operation("generate", "POST", "/generate", makes="result", works=True),
            ),
        ),
    )
}
"""The services of the pipeline, by name, in the order in which it calls them."""

BLOB = Service(
    "blob",
    "Blob store",
    10010,
    "fakes.storage.blob_proxy",
    tuple(
        # anything shorter is the account or a container; nothing of it is JSON
        Operation(
            name, method, "/{account}/{container}/{blob:path}", makes="blob", fields=frozenset(), asks=frozenset()
        )
        for name, method in (("get", "GET"), ("put", "PUT"), ("head", "HEAD"))
    ),
)
"""The fault proxy in front of the blob store."""
