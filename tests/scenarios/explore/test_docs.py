"""docs/exploring.md: from `make explore` to a mended bug, done as the page says, in a copy of the application."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "exploring.md").read_text()
WALK = PAGE.partition("## From `make explore` to a mended bug")[2].partition("\n## ")[0]
COMMANDS = re.findall(r"```sh\n(.*?)```", WALK, re.DOTALL)


@pytest.mark.long("explores and plays for minutes")
def test_the_page_leads_from_a_bug_to_its_mending(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "app", tmp_path / "app")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    ended = [
        subprocess.run(
            ["bash", "-ec", words], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        for words in COMMANDS
    ]
    assert [each.returncode for each in ended] == [0, 1, 1, 0], [each.stdout[-2000:] for each in ended]
    _, found, red, green = ended
    assert "1 findings" in found.stdout
    assert "the model does not allow it" in red.stdout
    assert "passed" in green.stdout
    (story,) = (tmp_path / "out" / "bug" / "findings").glob("*/story.txt")
    assert "►" in story.read_text()
    for name in ("plan.json", "scenario.py", "timeline.html"):
        assert (story.parent / name).stat().st_size > 100
    compile((story.parent / "scenario.py").read_text(), "scenario.py", "exec")


def test_the_page_has_a_command_for_each_thing_to_do() -> None:
    assert [words.split()[0] for words in COMMANDS] == ["sed", "python", "python", "mv"]
