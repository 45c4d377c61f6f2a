"""The ports of the stack: the documented ones, or free ones."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from fakes.registry import BLOB, SERVICES
from scenarios.processes.ports import reserve_port

FAKES = {**SERVICES, BLOB.name: BLOB}


@dataclass(frozen=True, kw_only=True)
class Ports:
    """One port for each address of the stack. The defaults are the documented ports of `make up`.

    Attributes:
        fakes: by service, the proxy of the blob store among them.
        controls: the fakes' control planes, by service.
    """

    gateway: int = 8000
    console: int = 8080
    temporal: int = 7233
    temporal_ui: int = 8233
    azurite: int = 10000
    fakes: Mapping[str, int] = field(default_factory=lambda: {name: one.port for name, one in FAKES.items()})
    controls: Mapping[str, int] = field(default_factory=lambda: {name: one.control_port for name, one in FAKES.items()})

    @classmethod
    def free(cls) -> Self:
        """Choose a free port for each, so that any number of stacks live side by side."""
        return cls(
            gateway=reserve_port(),
            console=reserve_port(),
            temporal=reserve_port(),
            temporal_ui=reserve_port(),
            azurite=reserve_port(),
            fakes={name: reserve_port() for name in FAKES},
            controls={name: reserve_port() for name in FAKES},
        )

    def by_part(self) -> dict[str, int]:
        """Return the port at which each part is asked, by its name; Temporal's web page as `temporal_ui`."""
        return {
            "gateway": self.gateway,
            "console": self.console,
            "temporal": self.temporal,
            "temporal_ui": self.temporal_ui,
            "azurite": self.azurite,
            **self.fakes,
        }
