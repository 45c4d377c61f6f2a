"""Defects that somebody else thought of: unified diffs against the production code, each applied to its own copy."""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

TOUCHED = re.compile(r"^(?:---|\+\+\+) (?:[ab]/)?(\S+)", re.MULTILINE)


class DefectInvalid(Exception):  # noqa: N818 - reads as what it is: this defect is invalid
    """A patch cannot be used; the message says which, why and what to do."""


@dataclass(frozen=True)
class Defect:
    """One patch. `files` are what it changes, within `app/`."""

    name: str
    patch: Path
    files: tuple[str, ...]

    def apply(self, copy: Path) -> None:
        """Apply it to a copy of the production code.

        Raises:
            DefectInvalid: it does not fit the code as it is.
        """
        ended = subprocess.run(  # noqa: S603 - our own words
            ["git", "apply", "--whitespace=nowarn", str(self.patch.resolve())],  # noqa: S607 - the user's own git
            cwd=copy,
            # Within a repository it would leave out, without a word, what is not below the folder there.
            env={**os.environ, "GIT_CEILING_DIRECTORIES": str(copy.resolve().parent)},
            capture_output=True,
            text=True,
            check=False,
        )
        if ended.returncode:
            raise DefectInvalid(f"{self.patch}: does not apply to the code as it is; adapt it: {ended.stderr.strip()}")


def read_defects(folder: Path) -> list[Defect]:
    """Return the defects of a folder, each a `*.patch`, by their names.

    Raises:
        DefectInvalid: there is none, or one changes something that is not in `app/`.
    """
    patches = sorted(folder.glob("*.patch"))
    if not patches:
        raise DefectInvalid(f"{folder}: has no *.patch; give a folder of unified diffs against app/")
    return [_read(patch) for patch in patches]


def _read(patch: Path) -> Defect:
    touched = sorted({name for name in TOUCHED.findall(patch.read_text(encoding="utf-8")) if name != "/dev/null"})
    if not touched:
        raise DefectInvalid(f"{patch}: is no unified diff; make it with `git diff`")
    if strange := [name for name in touched if not name.startswith("app/")]:
        raise DefectInvalid(f"{patch}: changes {', '.join(strange)}; a defect is one of app/ alone")
    return Defect(patch.stem, patch, tuple(name.removeprefix("app/") for name in touched))
