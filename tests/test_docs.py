"""The documentation against the code."""

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest
from fastapi.routing import APIRoute

from app.errors import error_classes
from app.gateway.routes import operations_routes, tryon_routes
from app.settings import Settings
from fakes.faults import kinds
from fakes.settings import ServiceSettings

ROOT = Path(__file__).resolve().parents[1]


@cache
def tracked() -> list[Path]:
    """Every file of the checkout that is, or is about to be, under version control."""
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


@cache
def prose() -> str:
    """All that a person would read to find something: the Markdown files and the settings' example."""
    return "\n".join(path.read_text() for path in tracked() if path.suffix == ".md" or path.name == ".env.example")


def mentioned(word: str) -> bool:
    return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", prose()) is not None


# ---------------------------------------------------------------- the documentation says what there is
def make_targets() -> list[str]:
    return re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("target", make_targets())
def test_every_make_target_is_documented(target: str) -> None:
    assert mentioned(f"make {target}")


@pytest.mark.parametrize("name", sorted({*Settings.model_fields, *ServiceSettings.model_fields}))
def test_every_setting_is_documented(name: str) -> None:
    assert mentioned(name.upper())


@pytest.mark.parametrize("kind", sorted(kinds()))
def test_every_fault_kind_is_documented(kind: str) -> None:
    assert f"`{kind}`" in prose()


def routes() -> list[str]:
    both = (*tryon_routes.routes, *operations_routes.routes)
    return [f"{method} {route.path}" for route in both if isinstance(route, APIRoute) for method in route.methods or ()]


@pytest.mark.parametrize("route", routes())
def test_every_route_is_documented(route: str) -> None:
    method, path = route.split()
    shown = re.sub(r"{(\w+?)_?id}", "{workflowId}", path)
    assert f"`{method} {shown}`" in prose()


def error_table() -> str:
    rows: dict[str, str] = {}
    for error in (one for one in error_classes() if one.__module__.startswith("app.")):
        steps = "any" if len(error.steps) > 5 else ", ".join(f"`{step}`" for step in error.steps) or "the request"
        retried = "yes" if error.retryable else "no"
        rows.setdefault(error.code, f"| `{error.code}` | {error.http_status} | {retried} | {steps} | {error.advice} |")
    head = ["| code | HTTP | retried | failed step | what to do |", "| --- | --- | --- | --- | --- |"]
    return "\n".join([*head, *(rows[code] for code in sorted(rows))])


def test_the_table_of_error_codes_is_that_of_the_code() -> None:
    page = (ROOT / "docs" / "errors.md").read_text()
    shown = page.partition("<!-- error codes -->\n")[2].partition("\n<!-- /error codes -->")[0]
    assert shown == error_table(), f"the table should be:\n{error_table()}"


def test_the_readme_begins_with_the_two_commands() -> None:
    commands = re.findall(r"^ *(make [a-z-]+)", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert commands[:2] == ["make demo", "make test"]


def test_every_link_in_the_documentation_leads_somewhere() -> None:
    for page in (path for path in tracked() if path.suffix == ".md"):
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.relative_to(ROOT)} links to {target}"


def test_every_file_that_the_documentation_names_exists() -> None:
    parts = "app|deploy|docs|fakes|loadtests|scenarios|tests"
    named = set(re.findall(rf"`((?:{parts})/[\w./-]+)`", prose()))
    assert len(named) > 20
    assert sorted(name for name in named if not (ROOT / name).exists()) == []
