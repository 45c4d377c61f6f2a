"""A user's own suite, as the README shows it: it runs, it fails with a story, its options work. In its own process."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OWN_CONFTEST = 'pytest_plugins = ["scenarios.plugin"]\n'
EXAMPLE = re.search(r"```python\n(from scenarios.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
WRONG = """

def test_that_is_wrong_about_the_code(run_scenario, rules):
    rules.add("sam3", "submit", "job_failed")
    run_scenario(expect=failed("SAM3_TIMEOUT", "GENERATING_MASK"))
"""


def test_a_suite_of_ones_own(tmp_path: Path) -> None:
    suite = tmp_path / "test_mine.py"
    assert EXAMPLE
    suite.write_text("from scenarios.scenario import failed\n" + EXAMPLE[1] + WRONG)
    (tmp_path / "conftest.py").write_text(OWN_CONFTEST)
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment = {**ours, "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(suite), "--timeline", "out.html"]
    ended = subprocess.run(
        words, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=240, check=False
    )
    told = ended.stdout
    assert ended.returncode == 1, told + ended.stderr
    assert "1 failed, 1 passed" in told
    assert "✗ code: expected SAM3_TIMEOUT, seen SAM3_JOB_FAILED" in told
    assert "generate_mask attempt 3" in told
    assert re.search(r"run it again: pytest '.*test_that_is_wrong_about_the_code' --scenario-seed 1", told)
    assert "test-that-is-wrong-about-the-code" in (tmp_path / "out.html").read_text()
