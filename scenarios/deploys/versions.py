"""The workflow of another version of `app`, importable beside today's."""

import importlib
import re
import subprocess
import sys
import tarfile
from hashlib import blake2b
from io import BytesIO
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
WORKFLOW = "JewelryGenerationWorkflow"


class NoVersionError(Exception):
    """A version cannot be had. The message says why, and what to do."""


def of_git(ref: str, home: Path) -> type[Any]:
    """Return the workflow as it is at a git reference of this checkout, its package unpacked in a folder.

    Raises:
        NoVersionError: there is no such reference, or no workflow in it.
    """
    commit = _git("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}").decode().strip()
    if not commit:
        raise NoVersionError(f"BASE={ref}: git knows no such commit here; say a branch, a tag or a commit")
    archive = _git("archive", "--format=tar", commit, "app")
    if not archive:
        raise NoVersionError(f"BASE={ref}: that commit has no folder app")
    with tarfile.open(fileobj=BytesIO(archive)) as files:
        files.extractall(home, filter="data")
    return of_folder(home / "app")


def same_code(ref: str) -> bool:
    """Say whether this checkout's `app`, what is not committed included, is that of a git reference."""
    untracked = _git("ls-files", "--others", "--exclude-standard", "--", "app/*.py")
    asked = ("git", "-C", str(ROOT), "diff", "--quiet", ref, "--", "app")
    return not untracked and subprocess.run(asked, capture_output=True, check=False).returncode == 0  # noqa: S603 - as below


def _git(*words: str) -> bytes:
    """Return what git says of this checkout; nothing when it refuses."""
    asked = ("git", "-C", str(ROOT), *words)
    return subprocess.run(asked, capture_output=True, check=False).stdout  # noqa: S603 - git, with words of our own


def of_folder(app: Path) -> type[Any]:
    """Return the workflow of a copy of `app`, which gets a name of its own so that it can be imported beside today's.

    Raises:
        NoVersionError: there is no workflow in it, or it cannot be imported.
    """
    name = f"app_{blake2b(str(app.resolve()).encode(), digest_size=6).hexdigest()}"
    renamed = app.rename(app.with_name(name))
    for module in renamed.rglob("*.py"):
        text = module.read_text(encoding="utf-8")
        module.write_text(re.sub(r"\b(from|import) app\b(?=[. ])", rf"\1 {name}", text), encoding="utf-8")
    holders = [m for m in renamed.rglob("*.py") if f"class {WORKFLOW}" in m.read_text(encoding="utf-8")]
    if len(holders) != 1:
        raise NoVersionError(f"{app}: has {len(holders)} modules with a class {WORKFLOW}, where one is expected")
    dotted = ".".join(holders[0].relative_to(renamed.parent).with_suffix("").parts)
    sys.path.insert(0, str(renamed.parent))
    try:
        made: type[Any] = getattr(importlib.import_module(dotted), WORKFLOW)
    except Exception as error:  # whatever is wrong in that version is its own
        raise NoVersionError(f"{app}: cannot be imported: {type(error).__name__}: {error}") from error
    return made
