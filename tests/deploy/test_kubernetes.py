"""The manifests without a cluster: they parse, hang together, and keep what the application needs."""

from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from app.gateway.__main__ import GRACE
from app.pipeline.policies import GENERATE, a100_task_queue
from app.settings import Settings

FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes"
KUSTOMIZATION = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
OBJECTS: list[dict[str, Any]] = list(
    chain.from_iterable(yaml.safe_load_all((FOLDER / name).read_text()) for name in KUSTOMIZATION["resources"])
)
CONFIG = next(found for found in OBJECTS if found["kind"] == "ConfigMap")["data"]
SECRET = yaml.safe_load((FOLDER / "secret.example.yaml").read_text())["stringData"]
VERSIONS = {
    "Namespace": "v1",
    "ConfigMap": "v1",
    "Service": "v1",
    "Deployment": "apps/v1",
    "PodDisruptionBudget": "policy/v1",
    "HorizontalPodAutoscaler": "autoscaling/v2",
    "TriggerAuthentication": "keda.sh/v1alpha1",
    "ScaledObject": "keda.sh/v1alpha1",
}


def one(kind: str, name: str) -> dict[str, Any]:
    [found] = [found for found in OBJECTS if (found["kind"], found["metadata"]["name"]) == (kind, name)]
    return found


def pod(name: str) -> dict[str, Any]:
    spec: dict[str, Any] = one("Deployment", name)["spec"]["template"]["spec"]
    return spec


def container(name: str) -> dict[str, Any]:
    [found] = pod(name)["containers"]
    return dict(found)


def test_every_file_is_listed_but_the_example_of_a_secret() -> None:
    files = {path.name for path in FOLDER.iterdir()} - {"kustomization.yaml", "secret.example.yaml"}
    assert set(KUSTOMIZATION["resources"]) == files


@pytest.mark.parametrize("found", OBJECTS, ids=lambda found: f"{found['kind']}/{found['metadata']['name']}")
def test_each_object_has_the_version_of_its_kind(found: dict[str, Any]) -> None:
    assert found["apiVersion"] == VERSIONS[found["kind"]]


@pytest.mark.parametrize("name", ["gateway", "worker"])
def test_selectors_find_their_pods(name: str) -> None:
    deployment = one("Deployment", name)["spec"]
    labels = deployment["template"]["metadata"]["labels"]
    selectors = [deployment["selector"]["matchLabels"]]
    selectors.append(one("PodDisruptionBudget", name)["spec"]["selector"]["matchLabels"])
    if name == "gateway":
        selectors.append(one("Service", name)["spec"]["selector"])
    assert all(selector.items() <= labels.items() for selector in selectors)


@pytest.mark.parametrize("name", ["gateway", "worker"])
def test_pods_hold_the_restricted_standard(name: str) -> None:
    assert pod(name)["securityContext"]["runAsNonRoot"] is True
    assert pod(name)["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    context = container(name)["securityContext"]
    assert context["allowPrivilegeEscalation"] is False
    assert context["readOnlyRootFilesystem"] is True
    assert context["capabilities"] == {"drop": ["ALL"]}
    assert container(name)["volumeMounts"] == [{"name": "tmp", "mountPath": "/tmp"}]


def test_no_pod_gets_the_variables_that_kubelet_makes_of_services() -> None:
    # For a Service `gateway` kubelet sets GATEWAY_PORT=tcp://10.0.0.1:80 in each pod of the namespace, over the image's
    # own ENV. That is a setting of ours and no number: gateway and workers would end with 2 at each start.
    services = [found["metadata"]["name"] for found in OBJECTS if found["kind"] == "Service"]
    made = {f"{name.upper().replace('-', '_')}_{end}" for name in services for end in ("PORT", "SERVICE_HOST")}
    assert made & {name.upper() for name in Settings.model_fields} == {"GATEWAY_PORT"}
    with pytest.raises(ValidationError, match="gateway_port"):
        Settings.model_validate({"gateway_port": "tcp://10.0.0.1:80"})
    for found in OBJECTS:
        if "template" in found.get("spec", {}):
            assert found["spec"]["template"]["spec"]["enableServiceLinks"] is False, found["metadata"]["name"]


def test_the_worker_has_longer_to_end_than_it_drains_and_drains_longer_than_a_generate_takes() -> None:
    drain = float(CONFIG["WORKER_DRAIN_S"])
    assert pod("worker")["terminationGracePeriodSeconds"] > drain > GENERATE.start_to_close


def test_the_gateway_has_longer_to_end_than_its_requests() -> None:
    pause = int(container("gateway")["lifecycle"]["preStop"]["exec"]["command"][1])
    assert pod("gateway")["terminationGracePeriodSeconds"] > GRACE + pause


def test_the_probes_ask_what_the_application_answers() -> None:
    gateway = container("gateway")
    ports = {port["name"]: port["containerPort"] for port in gateway["ports"]}
    assert ports == {"http": 8000}
    assert gateway["livenessProbe"]["httpGet"] == {"path": "/livez", "port": "http"}
    assert gateway["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "http"}
    alive = (Path(__file__).parents[2] / "Dockerfile").read_text()
    _, file, path, _ = container("worker")["livenessProbe"]["exec"]["command"]
    assert file == "file"
    assert f"WORKER_ALIVE_FILE={path}" in alive


def test_together_they_configure_everything_that_has_no_default_and_nothing_that_nobody_reads() -> None:
    said = CONFIG.keys() | SECRET.keys()
    required = {name.upper() for name, field in Settings.model_fields.items() if field.is_required()}
    assert required <= said
    known = {name.upper() for name in Settings.model_fields}
    assert {name for name in said - known if not name.startswith("TEMPORAL_")} == set()
    filled_in = CONFIG | SECRET | {"AZURE_ACCOUNT_KEY": "a2V5"}  # a key is base64, which `fill-in` is not
    settings = {name.lower(): value for name, value in filled_in.items() if name in known}
    Settings.model_validate(settings)


def test_no_secret_is_in_the_config_map_and_no_real_address() -> None:
    assert not {name for name in CONFIG if "KEY" in name or "SECRET" in name}
    for name, value in CONFIG.items():
        if name.endswith(("_URL", "_URLS")):
            assert ".example" in value


def test_workers_scale_by_the_backlog_of_both_task_queues() -> None:
    scaled = one("ScaledObject", "worker")["spec"]
    assert scaled["scaleTargetRef"]["name"] == one("Deployment", "worker")["metadata"]["name"]
    queues = {trigger["metadata"]["taskQueue"]: trigger["metadata"]["queueTypes"] for trigger in scaled["triggers"]}
    queue = CONFIG["TASK_QUEUE"]
    assert queues == {queue: "workflow,activity", a100_task_queue(queue): "activity"}
    for trigger in scaled["triggers"]:
        assert trigger["type"] == "temporal"
        assert trigger["metadata"]["endpointFromEnv"] in CONFIG
        assert trigger["metadata"]["namespaceFromEnv"] in CONFIG
        assert one("TriggerAuthentication", trigger["authenticationRef"]["name"])


def test_the_autoscalers_own_the_number_of_replicas() -> None:
    assert "replicas" not in one("Deployment", "gateway")["spec"]
    assert "replicas" not in one("Deployment", "worker")["spec"]
    assert one("HorizontalPodAutoscaler", "gateway")["spec"]["minReplicas"] >= 2
