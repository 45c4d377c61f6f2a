"""What an application says of its operations itself: the fields of their JSON, by its OpenAPI document."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, cast

from starlette.types import ASGIApp

from .calls import Operation


def described(app: ASGIApp, operations: Iterable[Operation]) -> list[Operation]:
    """Return the operations, each with the fields of request and answer where the application knows them."""
    make = cast("Callable[[], Mapping[str, Any]] | None", getattr(app, "openapi", None))
    document = make() if make is not None else {}
    told = []
    for operation in operations:
        said = document.get("paths", {}).get(operation.path, {}).get(operation.method.lower())
        if said is None:
            told.append(operation)
            continue
        answers = [answer for status, answer in said["responses"].items() if status.startswith("2")]
        asks = _fields(said["requestBody"], document) if "requestBody" in said else frozenset[str]()
        fields = _fields(answers[0], document) if answers else None
        told.append(
            replace(
                operation,
                asks=asks if operation.asks is None else operation.asks,
                fields=fields if operation.fields is None else operation.fields,
            )
        )
    return told


def _fields(said: Mapping[str, Any], document: Mapping[str, Any]) -> frozenset[str] | None:
    """Return the fields of a body that is described as a JSON object, None for any other."""
    schema = said.get("content", {}).get("application/json", {}).get("schema", {})
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return frozenset(schema["properties"]) if "properties" in schema else None
