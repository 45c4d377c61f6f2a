"""GET /docs: the API's description for people, written out of the OpenAPI document. It loads nothing from anywhere."""

import html
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'"}

_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
code, pre { font: 0.875rem/1.45 ui-monospace, monospace; }
pre { overflow-x: auto; padding: 0.8rem 1rem; border: 1px solid #8886; border-radius: 6px; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 0.3rem 1rem 0.3rem 0; }
th, td { border-bottom: 1px solid #8884; }
td code { overflow-wrap: anywhere; }
h2 { margin-top: 2.5rem; padding-top: 1rem; border-top: 1px solid #8886; }
h2 code { font-size: 1.1rem; }
"""


def page(document: Mapping[str, Any]) -> str:
    """Return the page of a document: its operations with what they take and answer, then the shapes."""
    info = document["info"]
    operations = [
        (method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    more = 'The description for programs is <a href="openapi.json">openapi.json</a>.'
    parts = [
        f"<h1>{_text(info['title'])}</h1><p>{_text(info['description'])} {more}</p>",
        _table(
            ("request", "what it does"),
            (
                (f'<a href="#{_anchor(method, path)}"><code>{method} {_text(path)}</code></a>', _text(one["summary"]))
                for method, path, one in operations
            ),
        ),
        *(part for method, path, one in operations for part in _operation(method, path, one)),
        "<h2>Shapes</h2>",
        *(part for name, schema in document["components"]["schemas"].items() for part in _shape(name, schema)),
    ]
    head = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
        f"<title>{_text(info['title'])}</title><style>{_STYLE}</style></head><body>"
    )
    return head + "".join(parts) + "</body></html>"


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> Iterator[str]:
    yield f'<h2 id="{_anchor(method, path)}"><code>{method} {_text(path)}</code></h2>'
    yield "".join(f"<p>{_text(part)}</p>" for part in operation["description"].split("\n\n"))
    if "security" in operation:
        yield "<p>Needs an API key where the deployment has any.</p>"
    if parameters := operation.get("parameters"):
        yield _table(
            ("parameter", "where", "what it is"),
            (
                (
                    f"<code>{_text(one['name'])}</code>",
                    one["in"],
                    f"{_kind(one['schema'])}. {_text(one['description'])}",
                )
                for one in parameters
            ),
        )
    for content in operation.get("requestBody", {}).get("content", {}).values():
        yield f"<p>The body is a {_kind(content['schema'])}:</p>{_json(content['example'])}"
    yield _table(("status", "what it means", "body"), (_answer(*one) for one in operation["responses"].items()))
    for example in _examples(operation["responses"]["200" if "200" in operation["responses"] else "202"]):
        yield example if example.startswith("<pre>") else f"<pre>{example}</pre>"


def _answer(status: str, answer: Mapping[str, Any]) -> tuple[str, str, str]:
    schemas = [content["schema"] for content in answer.get("content", {}).values() if "schema" in content]
    return status, _text(answer["description"]), ", ".join(_kind(schema) for schema in schemas)


def _examples(answer: Mapping[str, Any]) -> Iterator[str]:
    for content in answer.get("content", {}).values():
        if "example" in content:
            yield _text(content["example"])
        for example in content.get("examples", {}).values():
            yield _json(example["value"])


def _shape(name: str, schema: Mapping[str, Any]) -> Iterator[str]:
    yield f'<h3 id="{name}">{name}</h3><p>{_text(schema.get("description", ""))}</p>'
    required = schema.get("required", ())
    yield _table(
        ("field", "what it is"),
        (
            (
                f"<code>{_text(field)}</code>",
                f"{_kind(one)}{'' if field in required else ', may be left out'}. {_text(one.get('description', ''))}",
            )
            for field, one in schema.get("properties", {}).items()
        ),
    )


def _kind(schema: Mapping[str, Any]) -> str:
    """Say in words what a schema takes."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f'<a href="#{name}">{name}</a>'
    for several in ("oneOf", "anyOf"):
        if several in schema:
            return " or ".join(_kind(one) for one in schema[several])
    if "const" in schema or "enum" in schema:
        return " or ".join(
            f"<code>{_text(json.dumps(one))}</code>" for one in schema.get("enum", [schema.get("const")])
        )
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}{_limits(schema)}"
    return f"{schema.get('type', 'anything')}{_limits(schema)}"


def _limits(schema: Mapping[str, Any]) -> str:
    names = {
        "minimum": "from",
        "maximum": "to",
        "minItems": "from",
        "maxItems": "to",
        "minLength": "from",
        "maxLength": "to",
    }
    said = [f"{word} {schema[name]}" for name, word in names.items() if name in schema]
    return f" ({' '.join(said)})" if said else ""


def _table(heads: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _json(value: Any) -> str:
    return f"<pre>{_text(json.dumps(value, indent=2), code=False)}</pre>"


def _text(words: str, *, code: bool = True) -> str:
    """Escape, and set what stands in backticks as code."""
    escaped = html.escape(words)
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escaped) if code else escaped


def _anchor(method: str, path: str) -> str:
    return re.sub(r"\W+", "-", f"{method}{path}").strip("-").lower()
