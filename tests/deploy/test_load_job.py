"""The load run on a cluster: its manifests parse, hang together, and say what the commands understand."""

from pathlib import Path
from typing import Any

import yaml

from loadtests import load_worker, run as run_command
from loadtests.plan import MASTER_PORT

OBJECTS: list[dict[str, Any]] = list(
    yaml.safe_load_all((Path(__file__).parents[2] / "deploy" / "load" / "load.yaml").read_text())
)


def one(kind: str, name: str) -> dict[str, Any]:
    [found] = [found for found in OBJECTS if (found["kind"], found["metadata"]["name"]) == (kind, name)]
    return found


def container(name: str) -> dict[str, Any]:
    [found] = one("Job", name)["spec"]["template"]["spec"]["containers"]
    return dict(found)


def labels(name: str) -> dict[str, str]:
    return dict(one("Job", name)["spec"]["template"]["metadata"]["labels"])


def test_the_master_waits_for_as_many_workers_as_there_are() -> None:
    chosen = run_command.parser().parse_args(container("load-master")["args"])
    assert chosen.load_workers == one("Job", "load-worker")["spec"]["parallelism"]
    assert one("Job", "load-worker")["spec"]["completions"] == chosen.load_workers


def test_the_workers_find_the_master() -> None:
    chosen = load_worker.parser().parse_args(container("load-worker")["args"][4:])
    service = one("Service", chosen.master)["spec"]
    assert service["selector"].items() <= labels("load-master").items()
    [port] = service["ports"]
    assert port["port"] == chosen.port == MASTER_PORT
    assert {"name": port["targetPort"], "containerPort": MASTER_PORT} in container("load-master")["ports"]
    [ingress] = one("NetworkPolicy", "load-master")["spec"]["ingress"]
    assert ingress["from"][0]["podSelector"]["matchLabels"].items() <= labels("load-worker").items()


def test_the_pods_hold_the_restricted_standard_and_the_report_can_be_written() -> None:
    for name in ("load-master", "load-worker"):
        pod = one("Job", name)["spec"]["template"]["spec"]
        assert (pod["securityContext"]["runAsNonRoot"], pod["restartPolicy"]) == (True, "Never")
        assert container(name)["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        mounted = {mount["name"] for mount in container(name)["volumeMounts"]}
        assert mounted == {volume["name"] for volume in pod["volumes"]}
    chosen = run_command.parser().parse_args(container("load-master")["args"])
    assert str(chosen.out) in {mount["mountPath"] for mount in container("load-master")["volumeMounts"]}
