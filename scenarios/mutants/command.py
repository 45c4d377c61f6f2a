"""`make mutants`: break the production code in places drawn by a seed, and say who notices it.

Each mutant is one change, made in a copy of `app/`. Scenarios, unit tests and the explorer look at it, each for two
minutes at most. Only a run that was judged wrong counts: one that crashes or takes too long proves nothing. All of them
look at the code as it is first, and must find nothing.
"""

import argparse
import enum
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import yaml

from scenarios.mutants.operators import Mutant, mutants

ROOT = Path(__file__).resolve().parents[2]
EQUIVALENT = Path(__file__).parent / "equivalent.yaml"
MATTER = (
    "attempts/*.py",
    "errors/temporal.py",
    "gateway/api/start_request.py",
    "gateway/start.py",
    "gateway/temporal_calls.py",
    "pictures/result_checks.py",
    "pictures/results.py",
    "pipeline/*.py",
    "services/*.py",
)
"""The modules that decide what becomes of a try-on."""
LEAST_NOTICED = 0.9
LIMIT_S = 120.0
GRACE_S = 240.0
"""What starting a world and ending what is under way may take besides, on a busy machine."""
EXPLORED = 400
"""Plans that the explorer looks at, if the time is enough."""


class Seen(enum.Enum):
    """What one of those who look made of a mutant."""

    NOTICED = "noticed"
    SURVIVED = "survived"
    UNPROVEN = "unproven"
    """Nothing was judged wrong, and not all was judged: a crash, a time-out, a world that did not start."""


@dataclass(frozen=True)
class Look:
    """What one of them saw, in how many seconds."""

    seen: Seen
    seconds: float


def main(arguments: Sequence[str]) -> int:
    """Look at a sample of mutants. Exit codes: 0 when nine of ten were noticed, 1 when not, 2 when nobody can tell."""
    options = _options(arguments)
    try:
        known = equivalents(EQUIVALENT)
    except ValueError as wrong:
        _say(str(wrong))
        return 2
    every = [mutant for mutant in all_mutants() if options.file is None or fnmatch(mutant.file, options.file)]
    chosen = sample([mutant for mutant in every if mutant.name not in known], options.sample, options.seed)
    if options.list:
        for mutant in chosen:
            _say(f"{mutant.file}:{mutant.line}: {mutant.name.partition(': ')[2]}")
        return 0
    lookers = {name: LOOKERS[name] for name in options.by.split(",")}
    _say(f"{len(chosen)} of {len(every)} mutants, {len(known)} are equivalent; first {options.by} at the code as it is")
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        for name, look in lookers.items():
            if (found := _timed(look, _copy(Path(folder) / f"as-is-{name}"))).seen is not Seen.SURVIVED:
                _say(f"{name}: {found.seen.value} the code as it is: there is nothing to compare with")
                return 2
        with ThreadPoolExecutor(options.at_once) as threads:
            numbered = ((mutant, Path(folder) / str(n), lookers) for n, mutant in enumerate(chosen))
            noticed = list(threads.map(lambda parts: _look(*parts), numbered))
    return _sum_up(noticed)


def _sum_up(noticed: Sequence[Mapping[str, Look]]) -> int:
    total = len(noticed)
    for name in noticed[0] if noticed else ():
        _say(f"{name}: {sum(looks[name].seen is Seen.NOTICED for looks in noticed)} of {total}")
    together = sum(any(look.seen is Seen.NOTICED for look in looks.values()) for looks in noticed)
    _say(f"{together} of {total} mutants were noticed ({together / max(total, 1):.0%})")
    return 0 if together >= LEAST_NOTICED * total else 1


def all_mutants() -> list[Mutant]:
    """Return every mutant of the modules that matter."""
    app = ROOT / "app"
    files = sorted({path for pattern in MATTER for path in app.glob(pattern)})
    return [each for path in files for each in mutants(path.relative_to(app).as_posix(), path.read_bytes())]


def sample(chosen: Sequence[Mutant], size: int, seed: int) -> list[Mutant]:
    """Return so many mutants by the seed: of each name one, and from each file in turn, so that none is left out."""
    chance = random.Random(seed)  # noqa: S311 - a sample, no secret
    by_file: dict[str, list[Mutant]] = {}
    for mutant in {mutant.name: mutant for mutant in chosen}.values():
        by_file.setdefault(mutant.file, []).append(mutant)
    for each in by_file.values():
        chance.shuffle(each)
    taken: list[Mutant] = []
    while len(taken) < size and any(by_file.values()):
        files = [file for file, rest in by_file.items() if rest]
        # A file with many places is drawn more often, as people break it more often.
        weights = [len(by_file[file]) for file in files]
        taken.append(by_file[chance.choices(files, weights)[0]].pop())
    return taken


def equivalents(path: Path) -> dict[str, str]:
    """Return the mutants that change nothing that anybody could see, with the reasons.

    Raises:
        ValueError: the file is something else.
    """
    entries = yaml.safe_load(path.read_text(encoding="utf-8")) or []
    if not all(isinstance(each, dict) and set(each) == {"mutant", "reason"} for each in entries):
        raise ValueError(f"{path}: give a list of {{mutant: its name, reason: …}}")
    return {each["mutant"]: each["reason"] for each in entries}


# ---------------------------------------------------------------- who looks
def _look(mutant: Mutant, folder: Path, lookers: Mapping[str, "Looker"]) -> dict[str, Look]:
    copy = _copy(folder)
    path = copy / "app" / mutant.file
    path.write_bytes(mutant.applied(path.read_bytes()))
    looks = {name: _timed(look, copy) for name, look in lookers.items()}
    told = ", ".join(f"{name} {look.seen.value} in {look.seconds:.0f} s" for name, look in looks.items())
    _say(f"{mutant.file}:{mutant.line}: {mutant.name.partition(': ')[2]}: {told}")
    shutil.rmtree(copy)
    return looks


def _copy(folder: Path) -> Path:
    shutil.copytree(ROOT / "app", folder / "app", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def _timed(look: "Looker", copy: Path) -> Look:
    began = time.monotonic()
    return Look(look(copy), time.monotonic() - began)


def _run(copy: Path, *words: str) -> int | None:
    """Run a module of the harness against the copy, and return its exit code; None when it took too long."""
    environment = {**os.environ, "PYTHONPATH": f"{copy}{os.pathsep}{ROOT}"}
    try:
        return subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", *words],
            cwd=copy,
            env=environment,
            capture_output=True,
            timeout=LIMIT_S + GRACE_S,
            check=False,
        ).returncode
    except subprocess.TimeoutExpired:
        return None


def by_stories(copy: Path) -> Seen:
    """Play the catalogue."""
    result = copy / "result.json"
    result.unlink(missing_ok=True)
    _run(copy, "scenarios", "run", "--result", str(result))
    return judge(json.loads(result.read_text())) if result.exists() else Seen.UNPROVEN


def judge(results: Sequence[Mapping[str, Any]]) -> Seen:
    """Return what the result file of a run says: only a scenario that was judged counts."""
    if any(one["judged"] and one["problems"] for one in results):
        return Seen.NOTICED
    return Seen.SURVIVED if results and all(one["judged"] for one in results) else Seen.UNPROVEN


def by_tests(copy: Path) -> Seen:
    """Run the unit tests of the production code."""
    code = _run(
        copy, "pytest", str(ROOT / "tests" / "app"), "-x", "-q", "-p", "no:cacheprovider", "--rootdir", str(ROOT)
    )
    return {0: Seen.SURVIVED, 1: Seen.NOTICED}.get(code if code is not None else -1, Seen.UNPROVEN)


def by_explorer(copy: Path) -> Seen:
    """Explore up to the first finding."""
    words = ("--first", "--plans", str(EXPLORED), "--minutes", str(LIMIT_S / 60), "--out", str(copy / "explored"))
    code = _run(copy, "scenarios", "explore", *words)
    return {0: Seen.SURVIVED, 1: Seen.NOTICED}.get(code if code is not None else -1, Seen.UNPROVEN)


Looker = Callable[[Path], Seen]
LOOKERS: Mapping[str, Looker] = {"stories": by_stories, "tests": by_tests, "explorer": by_explorer}


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m scenarios mutants", description=__doc__)
    parser.add_argument("--sample", type=int, default=40, help="how many (40)")
    parser.add_argument("--seed", type=int, default=1, help="which (1)")
    parser.add_argument("--file", help="only those of files of app/ that fit this pattern")
    parser.add_argument("--by", type=_lookers, default=",".join(LOOKERS), help=f"who looks ({','.join(LOOKERS)})")
    parser.add_argument("--at-once", type=int, default=1, help="mutants side by side (1)")
    parser.add_argument("--list", action="store_true", help="list them instead of looking at them")
    return parser.parse_args(arguments)


def _lookers(text: str) -> str:
    if unknown := set(text.split(",")) - set(LOOKERS):
        raise argparse.ArgumentTypeError(f"no such: {', '.join(sorted(unknown))}; there are {', '.join(LOOKERS)}")
    return text


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - the command's own voice
