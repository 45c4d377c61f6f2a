import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.pictures import MAX_PIXELS
from app.settings import Settings
from fakes.kit.settings import FakeSettings
from scenarios.engine.programs import ACCOUNT, ACCOUNT_KEY

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ALWAYS = {name: service for name, service in SERVICES.items() if "profiles" not in service}
BUILT = {name: service for name, service in SERVICES.items() if "build" in service}
OF_THE_STACK = BUILT.keys() - {"load"}
ONE_SHOT = {"container"}
WORKERS = 2
IDLE_WORKER_MB = 140
"""Measured; docs/performance.md."""
LARGEST_PHOTO_MB = MAX_PIXELS * 10 / 1_000_000
"""What a progressive JPEG takes while it is turned; tests/app/test_pictures.py measures a smaller one."""


def limits(name: str) -> tuple[float, int]:
    limit = SERVICES[name]["deploy"]["resources"]["limits"]
    return float(limit["cpus"]), int(limit["memory"].removesuffix("M"))


def test_two_cpus_and_four_gigabytes_hold_it_all_with_two_workers_too() -> None:
    assert sum(limits(name)[0] for name in ALWAYS.keys() - ONE_SHOT) <= 2
    lasting = ALWAYS.keys() - ONE_SHOT
    assert sum(limits(name)[1] for name in lasting) + (WORKERS - 1) * limits("worker")[1] <= 4096


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
    model = FakeSettings if SERVICES[name]["build"]["target"] == "fakes" else Settings
    known = {field.upper() for field in model.model_fields}
    strangers = {variable for variable in SERVICES[name]["environment"] if not variable.startswith("TEMPORAL_")} - known
    assert strangers <= {"LOG_LEVEL"} if model is FakeSettings else not strangers


def test_each_service_is_swapped_by_one_variable() -> None:
    environment = SERVICES["worker"]["environment"]
    for variable in ("IMAGE_MANIPULATOR_URL", "BIREFNET_URL", "SAM3_URL", "A100_URLS", "TEMPORAL_ADDRESS"):
        assert environment[variable].startswith(f"${{{variable}:-")
    for variable in ("AZURE_ACCOUNT_NAME", "AZURE_ACCOUNT_KEY", "AZURE_BLOB_ENDPOINT"):
        assert all(SERVICES[name]["environment"][variable].startswith(f"${{{variable}:-") for name in OF_THE_STACK)


def test_the_local_store_has_the_key_of_the_local_stack() -> None:
    assert SERVICES["azurite"]["environment"]["AZURITE_ACCOUNTS"] == f"{ACCOUNT}:{ACCOUNT_KEY}"


def test_a_worker_has_longer_to_stop_than_it_drains() -> None:
    drain = int(SERVICES["worker"]["environment"]["WORKER_DRAIN_S"].partition(":-")[2].rstrip("}"))
    assert int(SERVICES["worker"]["stop_grace_period"].removesuffix("s")) > drain
