"""schemathesis over the gateway's own description: what it says it answers is what it answers."""

import asyncio
import json
from collections import Counter
from pathlib import Path

import pytest
import schemathesis
from hypothesis import given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.fuzz.conftest import EXAMPLES, Target

DESCRIPTION = json.loads((Path(__file__).parents[2] / "docs" / "openapi.json").read_text())
SCHEMA = schemathesis.openapi.from_dict(DESCRIPTION)
OPERATIONS = {found.ok().label: found.ok() for found in SCHEMA.get_all_operations()}
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["as described", "not so"])
@pytest.mark.parametrize("label", sorted(OPERATIONS))
async def test_an_operation_answers_as_described(target: Target, label: str, mode: GenerationMode) -> None:
    operation = OPERATIONS[label]
    asks_nothing = not (operation.body or operation.path_parameters or operation.query or operation.headers)
    if asks_nothing and mode is GenerationMode.NEGATIVE:
        pytest.skip("it asks for nothing that could be wrong")

    counts: Counter[int] = Counter()

    @settings(max_examples=3 if asks_nothing else max(10, EXAMPLES // 12))
    @given(operation.as_strategy(generation_mode=mode))
    def send(case: schemathesis.Case) -> None:
        response = case.call(base_url=target.url, timeout=30)
        counts[response.status_code] += 1
        case.validate_response(response, checks=CHECKS)

    await asyncio.to_thread(send)
    assert counts
    print(f"{label}, {mode.value}: {counts.total()} requests: {dict(counts.most_common())}")
