import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.gateway.__main__ import GRACE
from app.pictures.photo import MAX_PIXELS
from app.pipeline import policies
from app.pipeline.policies import StepPolicy
from app.settings import Settings
from fakes.settings import ServiceSettings
from scenarios.stack.programs import ACCOUNT, ACCOUNT_KEY

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ALWAYS = {name: service for name, service in SERVICES.items() if "profiles" not in service}
BUILT = {name: service for name, service in SERVICES.items() if "build" in service}
OF_THE_STACK = BUILT.keys() - {"load", "fake-gateway"}
ONE_SHOT = {"container"}
LEAVING_S = 10
"""For what comes after the last request or attempt: the last traces are sent, which may take 10 s."""
SDKS = ("TEMPORAL_", "OTEL_")
PROXIES = {"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"}
EXAMPLE = set(re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
# What an operator's .env does not reach, and why.
LEFT_TO_THE_IMAGE = {
    "GATEWAY_HOST": "the container's own; the published port is on loopback",
    "GATEWAY_PORT": "the container's own; in .env it says where it is published",
    "WORKER_ALIVE_FILE": "the healthcheck asks for the image's",
    "WORKER_METRICS_HOST": "the container's own; it is not published",
    "WORKER_METRICS_PORT": "Prometheus scrapes the image's",
}
# Where another default than the program's own is right, and why.
OTHER_DEFAULTS = {
    "AZURE_ACCOUNT_KEY": "the local blob store's",
    "AZURE_ACCOUNT_NAME": "the local blob store's",
    "AZURE_BLOB_ENDPOINT": "the local blob store",
    "IMAGE_MANIPULATOR_URL": "the fake",
    "BIREFNET_URL": "the fake",
    "SAM3_URL": "the fake",
    "A100_URLS": "the fake",
    "BODY_SLOTS": "the gateway's memory is limited",
    "RESULT_SLOTS": "the gateway's memory is limited",
    "PICTURE_SLOTS": "the worker's memory is limited",
    "WORKER_DRAIN_S": "the fakes are quick",
}
IDLE_WORKER_MB = 140
"""Measured; docs/performance.md."""
LARGEST_PHOTO_MB = MAX_PIXELS * 10 / 1_000_000
"""What a progressive JPEG takes while it is turned; tests/app/pictures/test_photo.py measures a smaller one."""


def limits(name: str) -> tuple[float, int]:
    limit = SERVICES[name]["deploy"]["resources"]["limits"]
    return float(limit["cpus"]), int(limit["memory"].removesuffix("M"))


def test_two_cpus_and_four_gigabytes_hold_it_all() -> None:
    lasting = ALWAYS.keys() - ONE_SHOT
    assert sum(limits(name)[0] for name in lasting) <= 2
    assert sum(limits(name)[1] for name in lasting) <= 4096


def test_a_worker_s_memory_holds_the_largest_photo() -> None:
    deployment = next(yaml.safe_load_all((ROOT / "deploy/kubernetes/worker.yaml").read_text()))
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    assert limits("worker")[1] >= IDLE_WORKER_MB + LARGEST_PHOTO_MB
    assert container["resources"]["limits"]["memory"] == "1Gi"


@pytest.mark.parametrize("name", sorted(ALWAYS.keys() - ONE_SHOT))
def test_each_lasting_service_has_a_healthcheck(name: str) -> None:
    dockerfile_has_it = name == "gateway"
    assert dockerfile_has_it or SERVICES[name]["healthcheck"]["test"][0] == "CMD"


@pytest.mark.parametrize("name", sorted(BUILT))
def test_our_containers_can_write_nothing_but_tmp(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["tmpfs"] == ["/tmp"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_ports_are_published_on_loopback_alone(name: str) -> None:
    assert all(str(port).startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


@pytest.mark.parametrize("name", ["worker", "gateway"])
def test_gateway_and_worker_wait_for_what_they_call(name: str) -> None:
    waits = {other: wait["condition"] for other, wait in SERVICES[name]["depends_on"].items()}
    healthy = dict.fromkeys(["temporal", "image-manipulator", "birefnet", "sam3", "a100"], "service_healthy")
    assert waits == healthy | {"container": "service_completed_successfully"}


@pytest.mark.parametrize("name", sorted(SERVICES.keys() - BUILT.keys()))
def test_images_of_others_have_a_version(name: str) -> None:
    tag = SERVICES[name]["image"].rpartition(":")[2]
    assert re.fullmatch(r"v?\d+\.\d+\.\d+", tag)


@pytest.mark.parametrize("name", sorted(OF_THE_STACK))
def test_every_variable_is_one_that_somebody_reads(name: str) -> None:
    model = ServiceSettings if SERVICES[name]["build"]["target"] == "fakes" else Settings
    known = {field.upper() for field in model.model_fields}
    strangers = {variable for variable in SERVICES[name]["environment"] if not variable.startswith(SDKS)} - known
    strangers -= PROXIES
    assert strangers <= {"LOG_LEVEL"} if model is ServiceSettings else not strangers


def readers(variable: str) -> set[str]:
    """Which of the two programs read a setting, by their modules; what both have in common is read by both."""
    reads = re.compile(rf"settings\.{variable.lower()}\b")
    found = set()
    for path in (ROOT / "app").rglob("*.py"):
        if "doctor" not in path.parts and reads.search(path.read_text()):
            gateway, worker = "gateway" in path.parts, path.name in {"worker.py", "assembly.py"}
            found |= {"gateway"} if gateway else {"worker"} if worker else {"gateway", "worker"}
    assert found, variable
    return found


@pytest.mark.parametrize(
    "variable", sorted({name.upper() for name in Settings.model_fields} - LEFT_TO_THE_IMAGE.keys())
)
def test_each_setting_reaches_who_reads_it_with_the_programs_default_or_a_better_one(variable: str) -> None:
    default = Settings.model_fields[variable.lower()].default
    own = "" if default in (None, ()) else f"{default:g}" if isinstance(default, float) else str(default)
    for name in readers(variable):
        said = re.fullmatch(rf"\${{{variable}:?-(.*)}}", str(SERVICES[name]["environment"].get(variable)))
        assert said, f"{name} does not get {variable}"
        assert (said[1] != own) is (variable in OTHER_DEFAULTS)


@pytest.mark.parametrize("name", ["worker", "gateway"])
def test_the_sdks_variables_of_the_example_reach_worker_and_gateway(name: str) -> None:
    environment = SERVICES[name]["environment"]
    sdks = {variable for variable in EXAMPLE if variable.startswith(SDKS)}
    files = {variable for variable in sdks if variable.endswith(("_PATH", "_FILE"))}
    assert len(sdks) == 7
    assert len(files) == 3
    for variable in sdks - files:
        assert environment[variable].startswith(f"${{{variable}:-")
    for variable in files:  # a path of this machine: the file is mounted, and the container's path is said
        path = re.fullmatch(rf"\${{{variable}:\+/run/secrets/(.+)}}", environment[variable])
        assert path
        assert path[1] in SERVICES[name]["secrets"]
        assert COMPOSE["secrets"][path[1]]["file"] == f"${{{variable}:-/dev/null}}"


def test_what_is_left_to_the_image_is_said_there_and_nowhere_else() -> None:
    image = (ROOT / "Dockerfile").read_text().partition("AS production\n")[2]
    for variable in LEFT_TO_THE_IMAGE:
        assert re.search(rf"^(?:ENV|   ) {variable}=", image, re.MULTILINE)
        assert all(variable not in SERVICES[name]["environment"] for name in ("worker", "gateway"))


def test_each_service_is_swapped_by_one_variable() -> None:
    environment = SERVICES["worker"]["environment"]
    for variable in ("IMAGE_MANIPULATOR_URL", "BIREFNET_URL", "SAM3_URL", "A100_URLS", "TEMPORAL_ADDRESS"):
        assert environment[variable].startswith(f"${{{variable}:-")
    for variable in ("AZURE_ACCOUNT_NAME", "AZURE_ACCOUNT_KEY", "AZURE_BLOB_ENDPOINT"):
        # Set to nothing, the key is none: a SAS or an identity opens the store then.
        begin = f"${{{variable}-" if variable == "AZURE_ACCOUNT_KEY" else f"${{{variable}:-"
        assert all(SERVICES[name]["environment"][variable].startswith(begin) for name in OF_THE_STACK)


def test_the_local_store_has_the_key_of_the_local_stack() -> None:
    assert SERVICES["azurite"]["environment"]["AZURITE_ACCOUNTS"] == f"{ACCOUNT}:{ACCOUNT_KEY}"


def seconds_to_stop(name: str) -> int:
    return int(SERVICES[name]["stop_grace_period"].removesuffix("s"))


def test_a_worker_has_longer_to_stop_than_any_attempt_lasts_however_long_it_may_drain() -> None:
    # Compose cannot add to WORKER_DRAIN_S. Nor need it: a drain ends with the last attempt, and each has its limit.
    longest = max(policy.start_to_close for policy in vars(policies).values() if isinstance(policy, StepPolicy))
    assert seconds_to_stop("worker") >= max(longest, Settings.model_fields["worker_drain_s"].default) + LEAVING_S


def test_the_gateway_has_longer_to_stop_than_its_requests() -> None:
    assert seconds_to_stop("gateway") >= GRACE + LEAVING_S


def test_the_fake_gateway_needs_nothing_else() -> None:
    service = SERVICES["fake-gateway"]
    assert service["profiles"] == ["frontend"]
    assert not service["depends_on"]
    assert not service["environment"]
