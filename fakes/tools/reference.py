"""Writes the tables of docs/fakes.md from the code: python -m fakes.tools.reference docs/fakes.md."""

import sys
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from fakes import a100
from fakes.faults import kinds
from fakes.kit.control import routes
from fakes.kit.rules import Rule
from fakes.settings import ServiceSettings

FAMILIES = {
    "http": "HTTP",
    "host": "Hosts",
    "job": "Jobs",
    "picture": "Pictures, in a valid 200",
    "contract": "Contract",
    "store": "The blob store",
}


def settings_table() -> str:
    """Return the environment variables with their defaults."""
    rows = []
    for name, field in ServiceSettings.model_fields.items():
        default = "" if field.default in ("", None) else f"`{str(field.default).lower()}`"
        rows.append((f"`{name.upper()}`", default, field.description or ""))
    return _table(("variable", "default", "meaning"), rows)


def rule_table() -> str:
    """Return the fields of a rule."""
    rows = [(f"`{name}`", _default(field), field.description or "") for name, field in Rule.model_fields.items()]
    return _table(("field", "default", "meaning"), rows)


def fault_tables() -> str:
    """Return the kinds of faults by family, with their parameters."""
    parts = []
    for family, title in FAMILIES.items():
        rows = []
        for kind, fault in kinds().items():
            if fault.family == family:
                own = {name: field for name, field in fault.model_fields.items() if name != "kind"}
                parameters = ", ".join(f"`{name}`{_shown(field)}" for name, field in own.items())
                rows.append((f"`{kind}`", parameters, (fault.__doc__ or "").split("\n")[0]))
        parts.append(f"**{title}**\n\n{_table(('kind', 'parameters', 'what happens'), rows)}")
    return "\n\n".join(parts)


def route_table() -> str:
    """Return the routes of the control plane."""
    rows = []
    for route in routes(a100.create_app(ServiceSettings())).routes:
        methods, path, endpoint = (getattr(route, name) for name in ("methods", "path", "endpoint"))
        rows.append((f"`{next(iter(methods))} {path}`", (endpoint.__doc__ or "").split("\n")[0]))
    return _table(("request", "answer"), rows)


TABLES = {"settings": settings_table, "rule fields": rule_table, "faults": fault_tables, "routes": route_table}


def fill(page: str) -> str:
    """Return the page with its tables as the code has them, between `<!-- name -->` and `<!-- end -->`."""
    for name, table in TABLES.items():
        text = f"<!-- {name} -->\n\n{table()}\n\n<!-- end -->"
        begin, end = page.index(f"<!-- {name} -->"), page.index("<!-- end -->", page.index(f"<!-- {name} -->"))
        page = page[:begin] + text + page[end + len("<!-- end -->") :]
    return page


def _table(head: tuple[str, ...], rows: list[Any]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _default(field: FieldInfo) -> str:
    if field.default in (PydanticUndefined, None, ""):
        return "required" if field.is_required() else ""
    return f"`{field.default if not isinstance(field.default, bool) else str(field.default).lower()}`"


def _shown(field: FieldInfo) -> str:
    if field.is_required():
        return ""
    if field.default in (PydanticUndefined, None, ""):
        return " (optional)"
    default = getattr(field.default, "fixed", field.default)  # of a distribution
    return f" ({default:,.10g})" if isinstance(default, int | float) else f" (`{default!a}`)"


if __name__ == "__main__":
    for path in map(Path, sys.argv[1:]):
        path.write_text(fill(path.read_text(encoding="utf-8")), encoding="utf-8")
