"""The programs of the stack: the command line and the environment of each, from one place."""

import base64
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from app.pipeline.policies import a100_task_queue
from fakes.registry import BLOB, SERVICES
from scenarios.pipeline import VARIABLES
from scenarios.processes.child import Program
from scenarios.processes.ports import HOST
from scenarios.processes.probes import answers, container_is_there, polls, temporal_is_ready
from scenarios.stack.node import TOOLS, node_command
from scenarios.stack.ports import Ports

NAMESPACE = "default"
CONTAINER = "jewelry-uploads"
TASK_QUEUE = "tryon"
# The local blob store's account. It opens nothing but Azurite on this machine.
ACCOUNT = "jewelrytryon"
ACCOUNT_KEY = base64.b64encode(b"a key for the local blob store only, worth nothing elsewhere").decode()

# What a process needs of the user's own environment. The rest stays out: a proxy, a Temporal Cloud address or an Azure
# key that the user has exported must not reach the local stack.
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH")

RUN = Path(".run")
"""Where the commands keep logs and data, in the folder where they are called; git ignores it."""
TEMPORAL = Path(sys.executable).parent / "temporal"
PURPOSES = {
    "gateway": "the gateway",
    **{service.name: f"the fake of {service.title}" for service in (*SERVICES.values(), BLOB)},
    "azurite": "Azurite, the blob store",
    "temporal": "Temporal",
    "console": "the console",
}
ALL_PARTS = frozenset({"temporal", "azurite", *SERVICES, "worker", "gateway"})
BESIDE = frozenset({"console"})
"""Parts that are started only when they are named: a try-on does not need them."""
BETWEEN = frozenset({BLOB.name})
"""Parts that are started only when they are named, since they stand in the way: faults of the store need its proxy."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What may differ from one stack to the next.

    Attributes:
        parts: which programs to start; names of `ALL_PARTS` and `BESIDE`.
        workers: how many worker processes; named `worker`, or `worker-1`, `worker-2` … when there are several.
        profile: the fakes' latency and capacity, a name from fakes.
        time_scale: what the fakes' times are multiplied with.
        seed: the fakes' chance.
        rules: a file of rules that the fakes start with.
        extra: more environment variables for each process by name, `*` for all; they win over the stack's own.
        temporal_flags: more words for the Temporal server's command line.
        in_memory: whether Temporal and Azurite keep nothing on disk, which costs less.
        temporal_ui: whether Temporal serves its web page.
    """

    parts: frozenset[str] = ALL_PARTS
    workers: int = 1
    profile: str = "realistic"
    time_scale: float = 1.0
    seed: int = 1
    rules: str = ""
    extra: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    temporal_flags: Sequence[str] = ()
    in_memory: bool = False
    temporal_ui: bool = True

    def __post_init__(self) -> None:
        known = ALL_PARTS | BESIDE | BETWEEN
        if unknown := self.parts - known:
            raise ValueError(f"no such part of the stack: {', '.join(sorted(unknown))}; there are {sorted(known)}")
        if self.workers < 1 and "worker" in self.parts:
            raise ValueError(f"a stack with the part 'worker' has at least one, not {self.workers}")


def shared_environment(ports: Ports, options: Options) -> dict[str, str]:
    """Return the variables by which the programs find each other, and nothing else."""
    return {
        "AZURE_ACCOUNT_NAME": ACCOUNT,
        "AZURE_ACCOUNT_KEY": ACCOUNT_KEY,
        "AZURE_CONTAINER": CONTAINER,
        "AZURE_BLOB_ENDPOINT": f"{_url(ports.azurite)}/{ACCOUNT}",
        **{variable: _url(ports.fakes[name]) for name, variable in VARIABLES.items()},
        "TEMPORAL_ADDRESS": f"{HOST}:{ports.temporal}",
        "TEMPORAL_NAMESPACE": NAMESPACE,
        "TEMPORAL_CONFIG_FILE": os.devnull,  # a profile in the user's home could name another server
        "GATEWAY_HOST": HOST,
        "GATEWAY_PORT": str(ports.gateway),
        "TASK_QUEUE": TASK_QUEUE,
        "WORKER_DRAIN_S": "3",
        "SIM_ENABLED": "true",
        "SIM_PROFILE": options.profile,
        "FAKES_TIME_SCALE": str(options.time_scale),
        "SIM_SEED": str(options.seed),
        **({"SIM_RULES": options.rules} if options.rules else {}),
        "PYTHONUNBUFFERED": "1",  # the last words of a process that is killed are in its log
    }


def stages(ports: Ports, home: Path, options: Options) -> list[list[Program]]:
    """Return the programs as they start: servers and fakes side by side, then workers and gateway."""
    # The console takes the traces; without it nothing is traced.
    traced = {"OTEL_EXPORTER_OTLP_ENDPOINT": _url(ports.console), "OTEL_BSP_SCHEDULE_DELAY": "500"}
    traced |= {"OTEL_EXPORTER_OTLP_TIMEOUT": "2"}
    application = traced if "console" in options.parts else {}
    application |= _through_the_proxy(ports, options)
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    shared = inherited | shared_environment(ports, options)

    def environment(name: str, own: Mapping[str, str] | None = None) -> dict[str, str]:
        return shared | dict(own or {}) | dict(options.extra.get("*", {})) | dict(options.extra.get(name, {}))

    def temporal() -> Program:
        ui = ["--ui-port", str(ports.temporal_ui)] if options.temporal_ui else ["--headless"]
        words = [str(TEMPORAL), "server", "start-dev", "--ip", HOST, "--port", str(ports.temporal), *ui]
        words += [] if options.in_memory else ["--db-filename", str(home / "temporal.db")]
        words += ["--log-level", "warn", *options.temporal_flags]
        addresses = {"Temporal": f"{HOST}:{ports.temporal}"}
        if options.temporal_ui:
            addresses["Temporal's web UI"] = _url(ports.temporal_ui)
        return Program(
            name="temporal",
            words=words,
            # It would ask a server on the internet for newer versions of itself.
            environment=environment("temporal", {"TEMPORAL_VERSION_CHECK_DISABLED": "1"}),
            healthy=temporal_is_ready(
                ports.temporal, namespace=NAMESPACE, ui_port=ports.temporal_ui if options.temporal_ui else None
            ),
            addresses=addresses,
        )

    def azurite() -> Program:
        words = [*node_command("azurite-blob"), "--blobHost", HOST, "--blobPort", str(ports.azurite)]
        words += ["--inMemoryPersistence"] if options.in_memory else ["--location", str(home / "azurite")]
        words += ["--silent", "--skipApiVersionCheck", "--disableTelemetry"]
        return Program(
            name="azurite",
            words=words,
            environment=environment(
                "azurite",
                # Compiling its JavaScript is a third of its start: Node keeps what it compiled beside it.
                {"AZURITE_ACCOUNTS": f"{ACCOUNT}:{ACCOUNT_KEY}", "NODE_COMPILE_CACHE": str(TOOLS / "compiled")},
            ),
            healthy=container_is_there(ports.azurite, account=ACCOUNT, key=ACCOUNT_KEY, container=CONTAINER),
            addresses={"Azurite (blob store)": f"{_url(ports.azurite)}/{ACCOUNT}"},
        )

    def fake(part: str) -> Program:
        port, control = ports.fakes[part], ports.controls[part]
        service = SERVICES.get(part, BLOB)
        return Program(
            name=part,
            words=[sys.executable, "-m", service.module, "--port", str(port), "--control-port", str(control)],
            environment=environment(part),
            healthy=answers(port),
            addresses={f"{service.title} (fake)": _url(port)},
        )

    def worker(name: str) -> Program:
        queues = (TASK_QUEUE, a100_task_queue(TASK_QUEUE))
        return Program(
            name=name,
            words=[sys.executable, "-m", "app.worker"],
            environment=environment("worker", application) | dict(options.extra.get(name, {})),
            healthy=polls(ports.temporal, namespace=NAMESPACE, queues=queues),
            addresses={name.capitalize(): f"polls {' and '.join(queues)}"},
        )

    def gateway() -> Program:
        return Program(
            name="gateway",
            words=[sys.executable, "-m", "app.gateway"],
            environment=environment("gateway", application),
            healthy=answers(ports.gateway, "/readyz", below=300),
            addresses={"Gateway": _url(ports.gateway)},
        )

    def console() -> Program:
        # Not its IP address: the gateway lets pages of localhost in (specification, CORS Configuration).
        page = f"http://localhost:{ports.console}"
        words = [sys.executable, "-m", "scenarios.console", "--host", HOST, "--port", str(ports.console)]
        words += ["--gateway", _url(ports.gateway)]
        words += ["--temporal-ui", _url(ports.temporal_ui)] if options.temporal_ui else []
        for part in sorted(options.parts.intersection(SERVICES)):
            words += ["--fake", f"{part}={_url(ports.controls[part])}"]
        return Program(
            name="console",
            words=words,
            environment=environment("console"),
            healthy=answers(ports.console, "/harness/config", below=300),
            addresses={"Console": page},
        )

    names = ["worker"] if options.workers == 1 else [f"worker-{n}" for n in range(1, options.workers + 1)]
    makers: list[dict[str, list[Callable[[], Program]]]] = [
        {
            "temporal": [temporal],
            "azurite": [azurite],
            **{part: [partial(fake, part)] for part in (*SERVICES, BLOB.name)},
            "console": [console],
        },
        {"worker": [partial(worker, name) for name in names], "gateway": [gateway]},
    ]
    return [[make() for part in stage if part in options.parts for make in stage[part]] for stage in makers]


def purposes(ports: Ports, options: Options) -> dict[int, str]:
    """Return what each port that these options need is for."""
    needed = {port: PURPOSES[part] for part, port in ports.by_part().items() if part in options.parts}
    if "temporal" in options.parts and options.temporal_ui:
        needed[ports.temporal_ui] = "Temporal's web UI"
    for part in options.parts.intersection({*SERVICES, BLOB.name}):
        needed[ports.controls[part]] = f"the control plane of {PURPOSES[part]}"
    return needed


def _through_the_proxy(ports: Ports, options: Options) -> dict[str, str]:
    """Return the application's way to the store, where the proxy stands in front of it."""
    if BLOB.name not in options.parts:
        return {}
    return {"AZURE_BLOB_ENDPOINT": f"{_url(ports.fakes[BLOB.name])}/{ACCOUNT}"}


def _url(port: int) -> str:
    return f"http://{HOST}:{port}"
