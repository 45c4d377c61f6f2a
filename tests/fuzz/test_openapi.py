"""schemathesis over the gateway's own description: what it says it answers is what it answers."""

import asyncio
import base64
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

from app.gateway.api.status_request import MAX_WAIT
from tests.app.gateway.conftest import jpeg
from tests.fuzz.conftest import EXAMPLES, Target

pytestmark = pytest.mark.long("a fuzzer, on a gateway of its own")

DESCRIPTION = json.loads((Path(__file__).parents[2] / "docs" / "openapi.json").read_text())
SCHEMA = schemathesis.openapi.from_dict(DESCRIPTION)
OPERATIONS = {found.ok().label: found.ok() for found in SCHEMA.get_all_operations()}
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


PHOTO = base64.b64encode(jpeg()).decode()
REUSED_KEY = {"Idempotency-Key": "of-another-body"}

ENDED = ("COMPLETED", "FAILED", "CANCELLED")
SUBJECTS: dict[str, tuple[str, ...]] = {
    "POST /workflow/start": ("as it is", "with a photo", "with a photo and a key"),
    "GET /workflow/{workflowId}": ("as it is", "RUNNING", *ENDED),
    "POST /workflow/{workflowId}/cancel": ("as it is", "RUNNING", *ENDED),
    "GET /workflow/{workflowId}/events": ("as it is", *ENDED),  # that of a running one does not end
}
"""What is put into the requests: without it all of them would end at an unknown id, or at a broken picture."""

REACHED = {
    "POST /workflow/start": {202, 409, 422},
    "GET /workflow/{workflowId}": {200, 404},
    "POST /workflow/{workflowId}/cancel": {200, 404, 409},
    "GET /workflow/{workflowId}/events": {200, 404},
}
"""The answers that requests as described have to come to."""

SHORT_WAIT = 0.05


def put_in(case: schemathesis.Case, subject: str, known: dict[str, str]) -> None:
    """Let a request be about something that there is."""
    if subject in known:
        case.path_parameters = {"workflowId": known[subject]}
        wait = (case.query or {}).get("wait")
        if subject == "RUNNING" and isinstance(wait, int | float) and 0 < wait <= MAX_WAIT:
            case.query = {**case.query, "wait": SHORT_WAIT}
    elif subject != "as it is" and isinstance(case.body, dict):
        case.body = {**case.body, "originalImageBase64": PHOTO}
        if "maskPoints" in case.body and isinstance(case.body["maskPoints"], list):
            case.body["maskPoints"] = [{"x": 0.5, "y": 0.5, "label": 1}, *case.body["maskPoints"][:63]]
        if subject == "with a photo and a key":
            case.headers = {**(case.headers or {}), **REUSED_KEY}


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["as described", "not so"])
@pytest.mark.parametrize("label", sorted(OPERATIONS))
async def test_an_operation_answers_as_described(
    target: Target, known: dict[str, str], label: str, mode: GenerationMode
) -> None:
    operation = OPERATIONS[label]
    asks_nothing = not (operation.body or operation.path_parameters or operation.query or operation.headers)
    if asks_nothing and mode is GenerationMode.NEGATIVE:
        pytest.skip("it asks for nothing that could be wrong")
    subjects = SUBJECTS.get(label, ("as it is",))
    examples = 3 if asks_nothing else max(5, EXAMPLES // 12 // len(subjects))

    counts: Counter[int] = Counter()

    def send_about(subject: str) -> None:
        @settings(max_examples=examples)
        @given(operation.as_strategy(generation_mode=mode))
        def send(case: schemathesis.Case) -> None:
            put_in(case, subject, known)
            response = case.call(base_url=target.url, timeout=30)
            counts[response.status_code] += 1
            case.validate_response(response, checks=CHECKS)

        send()

    for subject in subjects:
        await asyncio.to_thread(send_about, subject)
    print(f"{label}, {mode.value}: {counts.total()} requests: {dict(counts.most_common())}")
    assert counts
    if mode is GenerationMode.POSITIVE:
        assert REACHED.get(label, {200}) <= set(counts)
