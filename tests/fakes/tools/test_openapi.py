import json
from pathlib import Path

import pytest

from fakes.registry import SERVICES
from fakes.tools.openapi import document, text

KEPT = Path(__file__).parents[3] / "docs" / "openapi"


@pytest.mark.parametrize("service", SERVICES)
def test_the_kept_document_is_that_of_the_code(service: str) -> None:
    kept = (KEPT / f"{service}.json").read_text()
    assert kept == text(service), "the services' contract changed: run `make openapi` and look at the diff"


def test_no_other_document_is_kept() -> None:
    assert {path.stem for path in KEPT.iterdir()} == set(SERVICES)


@pytest.mark.parametrize(
    ("service", "paths"),
    [
        ("image_manipulator", {"/resize", "/zoom_check"}),
        ("birefnet", {"/jobs", "/jobs/{job_id}"}),
        ("sam3", {"/jobs", "/jobs/{job_id}"}),
        ("a100", {"/health", "/refine_mask", "/generate"}),
    ],
)
def test_it_has_the_operations_of_the_specification_and_nothing_of_a_fake(service: str, paths: set[str]) -> None:
    described = document(service)
    assert described["paths"].keys() == paths
    assert "__sim" not in json.dumps(described)
