"""docs/extending.md, done as it stands there in a copy of the tree: a fifth service, an eighth step, its stories."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "extending.md"
STORIES = ("moderator-forbids", "moderator-busy-twice", "near", "a100-offline")


class PageError(Exception):
    """The page no longer fits the code; the message says which of its blocks."""


def blocks(kind: str) -> list[tuple[str, str]]:
    """File and text of each block of this kind: its first line names the file."""
    found = re.findall(rf"^```{kind}\n(?:# |--- )(\S+)\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert found, kind
    return [(file, text) for file, text in found]


def edited(source: str, diff: str, file: str) -> str:
    """What a file is after a diff without line numbers; the lines that it goes by are there just once."""
    lines = [line or " " for line in diff.splitlines()]
    old = "".join(f"{line[1:]}\n" for line in lines if line[0] != "+")
    new = "".join(f"{line[1:]}\n" for line in lines if line[0] != "-")
    if source.count(old) != 1:
        raise PageError(f"{file} has these lines {source.count(old)} times:\n{old}")
    return source.replace(old, new)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("extended")
    for package in ("app", "fakes", "scenarios"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / ".tools").symlink_to(ROOT / ".tools")
    for file, text in blocks("python"):
        assert not (folder / file).exists()
        (folder / file).write_text(text)
    for file, diff in blocks("diff"):
        (folder / file).write_text(edited((folder / file).read_text(), diff, file))
    return folder


@pytest.mark.long("a world of its own, in a copy of the tree")
def test_the_stories_of_the_new_service_pass_beside_the_old_ones(copy: Path) -> None:
    result = copy / "result.json"
    ended = subprocess.run(
        [sys.executable, "-m", "scenarios", "run", *STORIES, "--result", str(result)],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    ran = {run["scenario"]: run["problems"] for run in json.loads(result.read_text())}
    assert ran == {name: [] for name in STORIES}
    assert "MODERATOR_REJECTED" in ended.stdout


def test_the_service_is_part_of_the_stack(copy: Path) -> None:
    script = (
        "from scenarios.pipeline import OPERATIONS, VARIABLES\n"
        "from scenarios.stack.ports import Ports\n"
        "from scenarios.stack.programs import Options, stages\n"
        "from pathlib import Path\n"
        "names = [program.name for stage in stages(Ports(), Path('/'), Options()) for program in stage]\n"
        "print(OPERATIONS['moderator'], VARIABLES['moderator'], Ports().fakes['moderator'], 'moderator' in names)\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", script],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert said.split() == ["('check',)", "MODERATOR_URL", "8009", "True"]


def test_a_page_that_does_not_fit_says_which_lines() -> None:
    with pytest.raises(PageError, match=r"app/x\.py has these lines 0 times:\nold\n"):
        edited("other\n", " old\n+new\n", "app/x.py")
    with pytest.raises(PageError, match="2 times"):
        edited("old\nold\n", "-old\n+new\n", "app/x.py")
    assert edited("a\nold\nb\n", " a\n-old\n+new\n", "app/x.py") == "a\nnew\nb\n"
