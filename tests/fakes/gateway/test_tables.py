"""The fake gateway's tables against those of the gateway and the pipeline."""

import json
from pathlib import Path
from typing import Any

from app.errors import error_classes
from app.pipeline.steps import Step
from fakes.gateway.asked import _StartRequest
from fakes.gateway.document import OPERATIONS
from fakes.gateway.scripts import FAILURES, STEPS, scripts

DOCUMENT = json.loads((Path(__file__).parents[3] / "docs/openapi.json").read_text())
WORDS = {"title", "description", "contentEncoding", "default", "$defs"}
PARTS: dict[str, Any] = {**DOCUMENT["components"]["schemas"], **_StartRequest.model_json_schema()["$defs"]}


def with_the_words_off(schema: Any) -> Any:
    """A schema without titles and descriptions, which bind nobody, and with its parts in place."""
    if isinstance(schema, dict):
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            return with_the_words_off(PARTS[name])
        return {key: with_the_words_off(value) for key, value in schema.items() if key not in WORDS}
    if isinstance(schema, list):
        return [with_the_words_off(one) for one in schema]
    return schema


def test_it_takes_what_the_gateway_takes() -> None:
    mine = with_the_words_off(_StartRequest.model_json_schema())
    assert mine == with_the_words_off(DOCUMENT["components"]["schemas"]["StartRequest"])


def test_the_operations_that_can_be_scripted_are_all_with_errors_of_their_own() -> None:
    of_every_connection = {"408", "431"}
    with_errors = {
        (method, route)
        for route, methods in DOCUMENT["paths"].items()
        for method, operation in methods.items()
        if {status for status in operation["responses"] if int(status) >= 400} - of_every_connection
    }
    assert with_errors == set(OPERATIONS.values())


def test_every_code_of_the_gateway_can_be_had() -> None:
    known = {error.code for error in error_classes() if error.__module__.startswith("app.")}
    scripted = {one.fails for one in scripts().values()} | {one.code for one in scripts().values()}
    elsewhere = {"NOT_FOUND", "METHOD_NOT_ALLOWED"}  # of paths and methods that there are not
    assert known - elsewhere == scripted - {None}


def test_a_failure_is_one_that_a_step_can_have() -> None:
    allowed = {error.code: {str(step) for step in error.steps} for error in error_classes()}
    of_a_workflow = {code for code in allowed if code.startswith("WORKFLOW_T")} | {"INTERNAL_ERROR"}
    assert set(FAILURES) == {code for code, steps in allowed.items() if steps} | of_a_workflow
    for code, (step, _) in FAILURES.items():
        assert step in allowed[code] or not allowed[code], code


def test_the_steps_are_those_of_the_pipeline() -> None:
    assert [(name, progress) for name, progress, _ in STEPS] == [
        (str(step), step.progress) for step in Step if step is not Step.COMPLETED
    ]
