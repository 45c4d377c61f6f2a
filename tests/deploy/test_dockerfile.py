import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def stage(name: str) -> str:
    """The lines of one stage of the Dockerfile."""
    [lines] = [part for part in DOCKERFILE.split("\nFROM ")[1:] if part.split("\n", 1)[0].endswith(f" AS {name}")]
    return lines


def test_hadolint_has_nothing_to_say() -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "hadolint", ROOT / "Dockerfile"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_the_production_image_is_made_of_app_alone() -> None:
    assert "fakes" not in stage("production")
    assert "fakes" not in stage("build-production")
    assert "requirements/app.txt" in stage("build-production")


def test_dependencies_are_checked_by_hash_and_need_no_compiler() -> None:
    installs = [line for line in DOCKERFILE.splitlines() if " install " in line]
    assert len(installs) == 3
    assert all("--require-hashes" in line and "--only-binary :all:" in line for line in installs)


def test_the_images_do_not_run_as_root() -> None:
    assert "USER 10001:10001" in stage("runtime")
    assert stage("production").startswith("runtime AS")
    assert stage("fakes").startswith("runtime AS")


def test_only_what_the_images_are_made_of_is_sent_to_the_engine() -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    let_in = {line[1:] for line in lines if line.startswith("!")}
    pins = {"requirements/app.txt", "requirements/fakes.txt", "requirements/load.txt"}
    assert let_in == {"app", "fakes", "scenarios", "loadtests", "deploy/probe.py", "docs/openapi.json"} | pins
