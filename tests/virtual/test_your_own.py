"""docs/your-own-workflows.md, in an empty folder: the wheel built and installed, every step as it stands."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "your-own-workflows.md").read_text()
BIN = Path(sys.executable).parent


def blocks() -> list[str]:
    return re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)


def run(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=300, check=False)


def test_the_wheels_file_of_header_names_has_all_that_the_kits_has() -> None:
    kits, wheels = (
        (ROOT / folder / "harness.py").read_text().partition(" import ")[2] for folder in ("fakes/kit", "deploy/wheel")
    )
    assert kits == wheels


@pytest.mark.long("it makes a virtual environment and installs the wheel with all that it needs")
def test_from_an_empty_folder_to_a_first_red_fault(tmp_path: Path) -> None:
    wheels = tmp_path / "wheel"
    built = run(str(BIN / "hatchling"), "build", "-t", "wheel", "-d", str(wheels), folder=ROOT / "deploy" / "wheel")
    assert built.returncode == 0, built.stderr
    [wheel] = wheels.glob("temporal_dryrun-*.whl")
    assert wheel.name in PAGE
    shop = tmp_path / "shop"
    shop.mkdir()
    python = shop / ".venv" / "bin" / "python"
    uv = str(BIN / "uv")
    assert run(uv, "venv", "--python", sys.executable, ".venv", folder=shop).returncode == 0
    # The versions are those that this project is tested with; they lie in uv's cache since the set-up.
    pinned = tmp_path / "pinned.txt"
    pinned.write_text(re.sub(r"\s*\\\n\s+--hash=\S+", "", (ROOT / "requirements" / "dev.txt").read_text()))
    installed = run(uv, "pip", "install", "--python", str(python), "--constraint", str(pinned), str(wheel), folder=shop)
    assert installed.returncode == 0, installed.stderr
    application, services, conftest, tests, red = blocks()
    for name, text in (
        ("shop.py", application),
        ("services.py", services),
        ("conftest.py", conftest),
        ("test_shop.py", tests),
    ):
        (shop / name).write_text(text)
    green = run(str(python), "-m", "pytest", "-q", folder=shop)
    assert green.returncode == 0, green.stdout
    assert "4 passed" in green.stdout
    (shop / "test_shop.py").write_text(f"{tests}\n\n{red}")
    failed = run(str(python), "-m", "pytest", "-q", folder=shop)
    assert failed.returncode == 1, failed.stdout
    assert "the customer was charged twice" in failed.stdout
    assert "1 failed, 4 passed" in failed.stdout
    foreign = "('app', 'tests', 'fakes', 'scenarios', 'PIL', 'numpy', 'azure')"
    looked = run(
        str(python), "-c", f"import importlib.util; print(*map(importlib.util.find_spec, {foreign}))", folder=shop
    )
    assert looked.stdout.split() == ["None"] * 7
