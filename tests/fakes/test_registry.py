"""What the registry says of each fake is what the fake declares."""

from pathlib import Path
from typing import Any

import pytest

from fakes.registry import BLOB, SERVICES
from fakes.settings import ServiceSettings
from fakes.tools.openapi import document


def declared(service: str) -> set[tuple[str, str, str]]:
    paths: dict[str, dict[str, Any]] = document(service)["paths"]
    return {
        (description["operationId"], method.upper(), path)
        for path, methods in paths.items()
        for method, description in methods.items()
    }


@pytest.mark.parametrize("service", SERVICES)
def test_names_methods_and_paths(service: str) -> None:
    assert declared(service) == {(one.name, one.method, one.path) for one in SERVICES[service].operations}


@pytest.mark.parametrize("service", [*SERVICES.values(), BLOB], ids=lambda service: service.name)
def test_what_they_make_and_whether_they_work(service: Any) -> None:
    made = service.create_app(ServiceSettings(sim_enabled=True)).operations.values()
    assert {(one.name, one.makes, one.job, one.works) for one in made} == {
        (one.name, one.makes, one.job, one.works) for one in service.operations
    }


def test_no_two_listen_at_one_port() -> None:
    ports = [port for service in (*SERVICES.values(), BLOB) for port in (service.port, service.control_port)]
    assert len(set(ports)) == len(ports)


def test_an_operation_that_there_is_not() -> None:
    with pytest.raises(KeyError, match="sam3 has no operation 'generate'"):
        SERVICES["sam3"].operation("generate")


def test_the_page_lists_the_fakes_as_the_registry_does() -> None:
    page = (Path(__file__).parents[2] / "docs" / "fakes.md").read_text()
    for service in (*SERVICES.values(), BLOB):
        names = ", ".join(f"`{operation.name}`" for operation in service.operations)
        assert f"| `{service.name}` | `python -m {service.module} --port {service.port}` | {names} |" in page
