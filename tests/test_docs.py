"""The documentation against the code."""

import importlib.util
import pkgutil
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
TARGETS = dict(re.findall(r"^([a-z-]+):.*## .*\n((?:\t.*\n)*)", (ROOT / "Makefile").read_text(), re.MULTILINE))
"""The recipe of each target of make."""
SETTINGS = {name.upper() for name in (*Settings.model_fields, *ServiceSettings.model_fields)}


@pytest.mark.parametrize("target", TARGETS)
def test_every_make_target_is_documented(target: str) -> None:
    assert mentioned(f"make {target}")


def test_every_make_target_in_the_documentation_is_one_and_takes_what_is_shown_with_it() -> None:
    shown = re.findall(r"(?:`|^ *)make ([a-z][a-z-]*)((?: +[A-Z]\w*=(?:'[^']*'|[^\s`]*))*)", prose(), re.MULTILINE)
    assert len(shown) > 50
    for target, words in shown:
        assert target in TARGETS, f"make {target}"
        given = set(re.findall(r" ([A-Z]\w*)=", words))
        taken = set(re.findall(r"\$(?:\$\{|\(|\(if \$\()([A-Z]\w*)", TARGETS[target]))
        assert given <= taken | SETTINGS, f"make {target}{words}"


def test_every_module_that_the_documentation_names_exists() -> None:
    ours = r"(?:app|fakes|scenarios|loadtests|tests)[\w.]*"
    run: set[str] = set()
    named: set[str] = set()
    # One makes up a service, and a test takes its steps in a copy of the tree; the others tell of names that are gone.
    apart = {"extending.md", "CHANGELOG.md", "upgrading.md"}
    rows = re.findall(r"^\|[^|]+\|(.+)\|$", (ROOT / "docs" / "upgrading.md").read_text(), re.MULTILINE)
    texts = [path.read_text() for path in tracked() if path.suffix == ".md" and path.name not in apart]
    for text in (*texts, "\n".join(rows)):  # of what is gone, what is there in its place
        run |= set(re.findall(rf"python -m ({ours})", text))
        named |= set(re.findall(rf"`({ours}\.[\w.]+)`", text))
        for module, names in re.findall(rf"^from ({ours}) import ([\w, ]+?) *(?:#.*)?$", text, re.MULTILINE):
            named |= {f"{module}.{name}" for name in names.split(", ")}
    assert len(run) > 5
    assert len(named) > 5
    assert [module for module in sorted(run) if importlib.util.find_spec(module) is None] == []
    for name in sorted(named):
        pkgutil.resolve_name(name)  # an ImportError or AttributeError says what there is not


@pytest.mark.parametrize("name", sorted(SETTINGS))
def test_every_setting_is_documented(name: str) -> None:
    assert mentioned(name)


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


def test_every_page_that_the_code_names_exists() -> None:
    pages = {
        (path, page)
        for path in tracked()
        if path.suffix in {".py", ".yaml", ".yml", ".toml", ".html", ".js"} or path.name in {"Makefile", "Dockerfile"}
        for page in re.findall(r"\bdocs/[\w-]+\.md\b", path.read_text())
    }
    assert pages
    assert [(path, page) for path, page in pages if not (ROOT / page).exists()] == []
