"""Workflows of this stack as scenarios: `make scenario-from`, run for whoever presses the console's button."""

import asyncio
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from scenarios.console.asked_for import AskedFor
from scenarios.console.fakes import UnknownError
from scenarios.console.worlds import command

VERDICTS: dict[int, Literal["passed", "failed"]] = {0: "passed", 1: "failed"}
"""By the command's exit code: it goes the same way, or another one. After any other it could not be read."""


@dataclass
class Reproduction:
    """A workflow that is told again, or was.

    Attributes:
        state: `passed` when it goes the same way, `failed` when another one, `broken` when it could not be read.
        text: what the command said so far.
        files: what it left, by name.
    """

    number: str
    workflow_id: str
    state: Literal["running", "passed", "failed", "broken"] = "running"
    text: str = ""
    files: dict[str, str] = field(default_factory=dict)

    def public(self) -> dict[str, Any]:
        """Return it as the console's server answers it."""
        return {
            "number": self.number,
            "workflowId": self.workflow_id,
            "state": self.state,
            "text": self.text,
            "command": f"make scenario-from WORKFLOW={self.workflow_id}",
            "files": {name: f"/harness/reproductions/{self.number}/{name}" for name in self.files},
        }


class Reproductions(AskedFor[Reproduction]):
    """Those that were asked for, as an async context; one is made at a time."""

    def __init__(self) -> None:
        super().__init__("scenario with the number")
        self._one_world = asyncio.Lock()
        self._count = 0

    def start(self, workflow_id: str) -> Reproduction:
        """Begin to tell a workflow again."""
        self._count += 1
        made = Reproduction(str(self._count), workflow_id)
        return self.begin(made.number, made, self._guarded(made))

    def file(self, number: str, name: str) -> str:
        """Return a file that one left.

        Raises:
            UnknownError: it left none of that name.
        """
        files = self.find(number).files
        if name not in files:
            raise UnknownError(f"there is no file {name!r}; there are {', '.join(files) or 'none'}")
        return files[name]

    async def _guarded(self, made: Reproduction) -> None:
        try:
            async with self._one_world:
                await self._make(made)
        except Exception as error:  # noqa: BLE001 - whatever it is, the person who pressed the button is told
            made.state, made.text = "broken", f"{made.text}it broke off: {str(error) or type(error).__name__}"

    async def _make(self, made: Reproduction) -> None:
        def said(line: str) -> None:
            made.text += line

        with tempfile.TemporaryDirectory(prefix="scenario-from-") as folder:
            out = Path(folder)
            code = await command(["scenario-from", f"--workflow={made.workflow_id}", f"--out={out}"], said)
            made.text = made.text.replace(f"{out}/", "")
            made.files = _files(out)
            made.state = VERDICTS.get(code, "broken")


def _files(folder: Path) -> dict[str, str]:
    return {each.name: each.read_text(encoding="utf-8") for each in sorted(folder.iterdir())}
