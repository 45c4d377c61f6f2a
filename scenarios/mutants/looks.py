"""Who looks at a copy of the production code, and what each makes of it: stories, unit tests, the explorer."""

import enum
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests" / "app"
WORLD = ("stories", "explorer")
"""Those who look from inside one world, which is begun once for both."""
LOOKERS = ("stories", "tests", "explorer")
GRACE_S = 240.0
"""What starting a world and ending what is under way may take besides, on a busy machine."""
FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)


class Noticed(enum.Enum):
    """What one of those who look made of the code."""

    NOTICED = "noticed"
    SURVIVED = "survived"
    UNPROVEN = "unproven"
    """Nothing was judged wrong, and not all was judged: a crash, a time-out, a world that did not start."""


@dataclass(frozen=True)
class Look:
    """What one of them saw, in how many seconds, and the first words for it."""

    seen: Noticed
    seconds: float
    what: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {"seen": self.seen.value, "seconds": self.seconds, "what": self.what}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Self:
        """Return what `as_json` told."""
        return cls(Noticed(told["seen"]), told["seconds"], told["what"])


@dataclass(frozen=True)
class Limits:
    """How many seconds each may look, how many plans the explorer makes, and whether the first to notice is enough."""

    seconds: float = 120.0
    plans: int = 400
    first: bool = False


def look(copy: Path, by: Sequence[str], limits: Limits, files: Sequence[str] = ()) -> dict[str, Look]:
    """Let them look at a copy, and return what each saw, by name.

    Args:
        copy: a folder with `app/`.
        by: who looks.
        limits: how long each.
        files: what was changed, within `app/`: the tests of their folders come first.
    """
    looks = _in_the_world(copy, [name for name in WORLD if name in by], limits)
    noticed = any(each.seen is Noticed.NOTICED for each in looks.values())
    if "tests" in by and not (limits.first and noticed):
        looks["tests"] = _by_tests(copy, limits, files)
    return {name: looks[name] for name in LOOKERS if name in looks}


def _in_the_world(copy: Path, by: Sequence[str], limits: Limits) -> dict[str, Look]:
    if not by:
        return {}
    result = copy / "result.json"
    words = [f"--limit={limits.seconds}", f"--plans={limits.plans}", f"--result={result}"]
    began = time.monotonic()
    ended = _run(
        copy,
        len(by) * limits.seconds + GRACE_S,
        "scenarios.mutants.world",
        *by,
        *words,
        *(["--first"] if limits.first else []),
    )
    told: dict[str, Any] = json.loads(result.read_text()) if result.exists() else {}
    looks = {name: Look.from_json(each) for name, each in told.items()}
    stopped = limits.first and any(each.seen is Noticed.NOTICED for each in looks.values())
    missing = [] if stopped else [name for name in by if name not in looks]
    took = time.monotonic() - began
    why = "it took too long" if ended is None else _last_line(ended.stderr) or f"it ended with {ended.returncode}"
    return looks | {name: Look(Noticed.UNPROVEN, took, why) for name in missing}


def _by_tests(copy: Path, limits: Limits, files: Iterable[str]) -> Look:
    """Run the unit tests of the production code, up to the first that fails, twice."""
    began = time.monotonic()
    own = sorted({str(TESTS / file.partition("/")[0]) for file in files if (TESTS / file.partition("/")[0]).is_dir()})
    parts = [own, [str(TESTS), *(f"--ignore={folder}" for folder in own)]] if own else [[str(TESTS)]]
    for part in parts:
        left = limits.seconds - (time.monotonic() - began)
        ended = _run(copy, max(left, 1.0), *PYTEST, *SIDE_BY_SIDE, *part)
        seen, what = _told_by_tests(ended)
        if seen is Noticed.NOTICED:  # for certain, if it fails alone, too
            seen, _ = _told_by_tests(_run(copy, limits.seconds, *PYTEST, what)) if what else (Noticed.UNPROVEN, "")
            return Look(seen if seen is Noticed.NOTICED else Noticed.UNPROVEN, time.monotonic() - began, what)
        if seen is Noticed.UNPROVEN:
            return Look(seen, time.monotonic() - began, what)
    return Look(Noticed.SURVIVED, time.monotonic() - began)


PYTEST = ("pytest", "-x", "-q", "-m", "not long", "-p", "no:cacheprovider", "--rootdir", str(ROOT))
SIDE_BY_SIDE = (f"--numprocesses={os.cpu_count()}", "--dist=loadfile")


def _told_by_tests(ended: "subprocess.CompletedProcess[str] | None") -> tuple[Noticed, str]:
    """Return what a run of tests says, and the first test that failed or why it says nothing."""
    if ended is None:
        return Noticed.UNPROVEN, "the time was over; LIMIT=300 gives each 300 s"
    if ended.returncode == 0:
        return Noticed.SURVIVED, ""
    failed = FAILED.search(ended.stdout)
    if ended.returncode == 1:
        return Noticed.NOTICED, failed[1] if failed else ""
    return (Noticed.NOTICED, failed[1]) if failed else (Noticed.UNPROVEN, _last_line(ended.stdout + ended.stderr))


def _run(copy: Path, seconds: float, *words: str) -> "subprocess.CompletedProcess[str] | None":
    """Run a module of the harness against the copy; None when it took too long."""
    environment = {**os.environ, "PYTHONPATH": f"{copy}{os.pathsep}{ROOT}"}
    try:
        return subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", *words],
            cwd=copy,
            env=environment,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None


def _last_line(text: str) -> str:
    return next((line for line in reversed(text.splitlines()) if line.strip()), "")
