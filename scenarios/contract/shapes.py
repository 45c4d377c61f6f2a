"""What a service has to answer by its own OpenAPI document (docs/openapi), and how an answer deviates from it."""

from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from fakes.tools.openapi import document

SHOWN = 64
"""So many characters of a value are shown."""


def deviations(service: str, method: str, template: str, found: Any) -> list[str]:
    """Return nothing when an answer is what the document says, else a line for each thing that is not.

    Fields that it does not know are allowed; they are told where one is missing, since it may be there by another name.

    Args:
        service: by the name that rules use.
        method: of HTTP.
        template: the path as the document has it, such as `/jobs/{job_id}`.
        found: the answer's JSON.
    """
    lines = []
    for error in sorted(_validator(service, method, template).iter_errors(found), key=lambda error: str(error.path)):
        place = error.json_path
        if error.validator == "required":
            more = sorted(set(error.instance) - set(error.schema["properties"]))
            lines.append(f"{place}: {error.message}" + (f"; it has {', '.join(more)}" if more else ""))
        elif error.validator == "anyOf":  # a value or null: what the value should have been is the news
            lines += [f"{inner.json_path}: {_due(inner)}" for inner in error.context or () if inner.validator != "type"]
            if all(inner.validator == "type" for inner in error.context or ()):
                lines.append(f"{place}: {_show(error.instance)} is neither null nor what is due")
        else:
            lines.append(f"{place}: {_due(error)}")
    return lines


@cache
def _validator(service: str, method: str, template: str) -> Draft202012Validator:
    described = document(service)
    answers = described["paths"][template][method.lower()]["responses"]
    schema = answers["200"]["content"]["application/json"]["schema"]
    return Draft202012Validator({**schema, "components": described["components"]})


def _due(error: Any) -> str:
    """Say what is wrong with a value, cut to a length that a person reads."""
    words: str = error.message
    whole = repr(error.instance)
    return words.replace(whole, _show(error.instance)) if len(whole) > SHOWN else words


def _show(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]} … ({len(text)} characters)"
