"""The pipeline as the specification has it, written once for everything outside `app`.

Scenarios, chaos, soak, console, contract and load runs take steps, activities, policies and who calls what from here.
The numbers are the specification's, as literals: what judges the application does not read it. A further step is a row
here (docs/extending.md).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from fakes.registry import BLOB, SERVICES, Operation


@dataclass(frozen=True, slots=True)
class Retry:
    """A retry policy: seconds of the first backoff, its growth, its longest, and how many attempts in all."""

    first_s: float
    coefficient: float
    longest_s: float
    attempts: int


IMAGE_RETRY = Retry(1, 2, 10, 5)
"""Specification, Retry Policies, "For Image Processing (upload, resize, zoom_check)"."""
ML_RETRY = Retry(2, 2, 30, 3)
"""Specification, Retry Policies, "For ML Services (birefnet, sam3, a100)"."""

Condition = Literal["always", "background", "strokes"]
"""When a step is taken: always, when the background is to be removed, when there are brush strokes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step of the pipeline: its activity, and what that may call.

    Attributes:
        name: the `currentStep` and `failedStep` of the API.
        progress: percent done when it begins (specification, Workflow Logic).
        activity: the activity's name (specification, Temporal Activities).
        retry: its retry policy.
        start_to_close_s: its timeout (specification, Workflow Logic).
        service: whose work it is; None: the blob store's alone.
        operations: of the service, its own.
        asks: of the service, questions that another step asks as well.
        blob: whether it reads or writes pictures.
        condition: when it is taken.
    """

    name: str
    progress: int
    activity: str
    retry: Retry
    start_to_close_s: float
    service: str | None = None
    operations: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    blob: bool = True
    condition: Condition = "always"

    @property
    def job(self) -> bool:
        """Whether its service works by jobs."""
        return any(operation.job for operation in self._operations())

    @property
    def work(self) -> str:
        """The operation that does the work: for a job its submit. Empty for the blob store's step."""
        return next((operation.name for operation in self._operations() if operation.works), "")

    @property
    def calls(self) -> frozenset[str]:
        """Every call that it may make, as "service.operation", each address of the service by its own name."""
        names = addresses(self.service) if self.service else ()
        found = {f"{name}.{operation}" for name in names for operation in (*self.operations, *self.asks)}
        if self.blob:
            found |= {f"{BLOB.name}.{operation.name}" for operation in BLOB.operations}
        return frozenset(found)

    def _operations(self) -> tuple[Operation, ...]:
        return tuple(SERVICES[self.service].operation(name) for name in self.operations) if self.service else ()


STEPS: tuple[Step, ...] = (
    Step(name="UPLOADING_IMAGE", progress=5, activity="upload_to_azure", retry=IMAGE_RETRY, start_to_close_s=30),
    Step(
        name="RESIZING_IMAGE",
        progress=15,
        activity="resize_image",
        retry=IMAGE_RETRY,
        start_to_close_s=30,
        service="image_manipulator",
        operations=("resize",),
    ),
    Step(
        name="CHECKING_ZOOM",
        progress=20,
        activity="check_zoom",
        retry=IMAGE_RETRY,
        start_to_close_s=30,
        service="image_manipulator",
        operations=("zoom_check",),
        blob=False,
    ),
    Step(
        name="REMOVING_BACKGROUND",
        progress=30,
        activity="remove_background",
        retry=ML_RETRY,
        start_to_close_s=130,  # ours: the specified 120 s, counted from the submit, are the application's own error
        service="birefnet",
        operations=("submit", "poll"),
        condition="background",
    ),
    Step(
        name="GENERATING_MASK",
        progress=45,
        activity="generate_mask",
        retry=ML_RETRY,
        start_to_close_s=130,  # as above
        service="sam3",
        operations=("submit", "poll"),
    ),
    Step(
        name="REFINING_MASK",
        progress=55,
        activity="refine_mask",
        retry=ML_RETRY,
        start_to_close_s=60,
        service="a100",
        operations=("refine_mask",),
        asks=("health",),
        condition="strokes",
    ),
    Step(
        name="GENERATING_IMAGES",
        progress=70,
        activity="generate_images",
        retry=ML_RETRY,
        start_to_close_s=180,
        service="a100",
        operations=("generate",),
        asks=("health",),
    ),
)
"""In their order (specification, Workflow Logic)."""

COMPLETED = "COMPLETED"
"""What `currentStep` is after the last."""

BY_NAME: Mapping[str, Step] = {step.name: step for step in STEPS}
BY_ACTIVITY: Mapping[str, Step] = {step.activity: step for step in STEPS}
ACTIVITIES = tuple(BY_ACTIVITY)

SPARES: Mapping[str, str] = {"a100": "a100_spare"}
"""Services with several addresses, and the name of the second one in rules and expectations."""


def addresses(service: str) -> tuple[str, ...]:
    """Return the names that rules and expectations have for the addresses of a service."""
    return (service, SPARES[service]) if service in SPARES else (service,)


OPERATIONS: Mapping[str, tuple[str, ...]] = {
    name: tuple(operation.name for operation in service.operations)
    for service in (*SERVICES.values(), BLOB)
    for name in addresses(service.name)
}
"""What rules and expectations can be for: each address of each service and of the store, and what it can be asked."""

VARIABLES: Mapping[str, str] = {name: f"{name.upper()}_URL{'S' if name in SPARES else ''}" for name in SERVICES}
"""The environment variable by which the application finds each service."""


def service_of(name: str) -> str:
    """Return the service whose address has this name in rules."""
    return next((service for service, spare in SPARES.items() if spare == name), name)


def step_of(service: str, operation: str) -> Step | None:
    """Return the step whose own call this is; None for one that is nobody's alone, as a question after health is."""
    name = service_of(service)
    return next((step for step in STEPS if step.service == name and operation in step.operations), None)
