"""Where the console finds the stack that it shows."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from fakes.registry import SERVICES


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """Addresses as the browser and the console reach them.

    Attributes:
        gateway: the base address of the public API, which the page calls by itself.
        controls: the control plane of each fake; one that is missing is shown as a service that is not a fake.
        temporal_ui: the base address of Temporal's web UI; empty: no links to it.
        namespace: the namespace of the workflows, for these links.
    """

    gateway: str
    controls: Mapping[str, str] = field(default_factory=dict)
    temporal_ui: str = ""
    namespace: str = "default"

    def __post_init__(self) -> None:
        if unknown := set(self.controls) - set(SERVICES):
            raise ValueError(f"no such fake: {', '.join(sorted(unknown))}; there are {', '.join(SERVICES)}")

    def workflow_page(self, workflow_id: str) -> str | None:
        """Return the address of a workflow's page in Temporal's web UI."""
        if not self.temporal_ui:
            return None
        return f"{self.temporal_ui}/namespaces/{self.namespace}/workflows/{workflow_id}"
