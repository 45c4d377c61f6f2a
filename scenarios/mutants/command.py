"""`make mutants`: break the production code in places drawn by a seed, and say who notices it.

Each mutant is one change, made in a copy of `app/`; with DEFECTS=folder they are patches that somebody else wrote.
Stories, unit tests and the explorer look at it, each for two minutes at most. Only what was judged wrong counts, and
was again when it was looked at once more: a run that crashes or takes too long proves nothing, but a function that is
seen to keep the event loop. All of them look at the code as it is first, and must find nothing.
"""

import argparse
import random
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from fnmatch import fnmatch
from functools import partial
from pathlib import Path
from typing import NamedTuple

import yaml

from scenarios.mutants.defects import DefectInvalid, read_defects
from scenarios.mutants.looks import LOOKERS, ROOT, Limits, Look, Noticed, look
from scenarios.mutants.operators import Mutant, mutants

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
    "services/a100.py",
    "services/blob.py",
    "services/http.py",
    "services/image_manipulator.py",
    "services/remote_job.py",
)
"""The modules that decide what becomes of a try-on. Others of `services/` are for logs, or open connections."""
LEAST_NOTICED = 0.9


class Breakage(NamedTuple):
    """One change of the production code: what it is in words, what it touches within `app/`, and how it is made."""

    name: str
    files: tuple[str, ...]
    apply: Callable[[Path], None]


def main(arguments: Sequence[str]) -> int:
    """Look at changes. Exit codes: 0 when nine of ten were noticed, 1 when not, 2 when nobody can tell."""
    options = _options(arguments)
    by, limits = options.by.split(","), Limits(options.limit, options.plans, first=options.first)
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        try:
            chosen = _defects(options.defects) if options.defects else _mutants(options)
            copies = [changed(change, Path(folder) / str(n)) for n, change in enumerate(chosen)]
        except (DefectInvalid, ValueError, OSError) as wrong:
            _say(str(wrong))
            return 2
        if options.list:
            for change in chosen:
                _say(change.name)
            return 0
        _say(f"{len(chosen)} changes; first {options.by} at the code as it is")
        for name, seen in look(_copy(Path(folder) / "as-is"), by, replace(limits, first=False)).items():
            if seen.seen is not Noticed.SURVIVED:
                _say(f"{name}: {seen.seen.value} the code as it is: {seen.what}; there is nothing to compare with")
                return 2
        looks = {}
        for change, copy in zip(chosen, copies, strict=True):
            looks[change.name] = look(copy, by, limits, change.files)
            _say(f"{change.name}: {', '.join(f'{name} {told(each)}' for name, each in looks[change.name].items())}")
    return _sum_up(looks, by)


def _mutants(options: argparse.Namespace) -> list[Breakage]:
    known = equivalents(EQUIVALENT)
    every = [mutant for mutant in all_mutants() if options.file is None or fnmatch(mutant.file, options.file)]
    telling = [mutant for mutant in every if not any(each.is_of(mutant) for each in known)]
    chosen = sample(telling, options.sample, options.seed)
    return [
        Breakage(f"{each.file}:{each.line}: {each.name.partition(': ')[2]}", (each.file,), partial(_mutate, each))
        for each in chosen
    ]


def _mutate(mutant: Mutant, copy: Path) -> None:
    path = copy / "app" / mutant.file
    path.write_bytes(mutant.applied(path.read_bytes()))


def _defects(folder: Path) -> list[Breakage]:
    return [Breakage(defect.name, defect.files, defect.apply) for defect in read_defects(folder)]


def changed(change: Breakage, folder: Path) -> Path:
    """Return a copy of the production code with the change.

    Raises:
        DefectInvalid: the change does not fit the code as it is.
    """
    change.apply(_copy(folder))
    return folder


def _copy(folder: Path) -> Path:
    shutil.copytree(ROOT / "app", folder / "app", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def told(each: Look) -> str:
    """Return a look in words: who noticed nothing has taken its time for it."""
    what = f" ({each.what})" if each.what else ""
    return f"{each.seen.value} in {each.seconds:.0f} s{what}"


def _sum_up(looks: Mapping[str, Mapping[str, Look]], by: Sequence[str]) -> int:
    """Print the table, and what share each noticed and all of them together."""
    for row in table(looks, by):
        _say(row)
    total = len(looks)
    for name in by:
        _say(f"{name}: {sum(_noticed(each, name) for each in looks.values())} of {total}")
    together = sum(any(_noticed(each, name) for name in by) for each in looks.values())
    _say(f"{together} of {total} were noticed ({together / max(total, 1):.0%})")
    return 0 if together >= LEAST_NOTICED * total else 1


def table(looks: Mapping[str, Mapping[str, Look]], by: Sequence[str]) -> list[str]:
    """Return the table of who noticed what, in Markdown: the seconds where it was noticed."""
    rows = [f"| change | {' | '.join(by)} |", f"| --- |{' --- |' * len(by)}"]
    for change, each in looks.items():
        cells = [
            f"{each[name].seconds:.0f} s" if _noticed(each, name) else each[name].seen.value if name in each else "-"
            for name in by
        ]
        rows.append(f"| {change.replace('|', '/')} | {' | '.join(cells)} |")
    return rows


def _noticed(looks: Mapping[str, Look], name: str) -> bool:
    return name in looks and looks[name].seen is Noticed.NOTICED


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


@dataclass(frozen=True)
class Equivalent:
    """A mutant that changes nothing which anybody could see, and why; with `at` only where the line has these words."""

    mutant: str
    reason: str
    at: str = ""

    def is_of(self, mutant: Mutant) -> bool:
        """Say whether that mutant is meant."""
        return mutant.name == self.mutant and self.at in mutant.code


def equivalents(path: Path) -> list[Equivalent]:
    """Return those that are marked.

    Raises:
        ValueError: the file is something else.
    """
    entries = yaml.safe_load(path.read_text(encoding="utf-8")) or []
    if not all(isinstance(each, dict) and {"mutant", "reason"} <= set(each) <= {*_MARKED} for each in entries):
        raise ValueError(
            f"{path}: give a list of {{mutant: its name, reason: …, at: words of the line, if it is one of several}}"
        )
    return [Equivalent(**each) for each in entries]


_MARKED = {field.name for field in fields(Equivalent)}


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m scenarios mutants", description=__doc__)
    parser.add_argument("--sample", type=int, default=40, help="how many (40)")
    parser.add_argument("--seed", type=int, default=1, help="which (1)")
    parser.add_argument("--file", help="only those of files of app/ that fit this pattern")
    parser.add_argument("--defects", type=Path, metavar="FOLDER", help="patches (*.patch) in place of mutants")
    parser.add_argument("--by", type=_lookers, default=",".join(LOOKERS), help=f"who looks ({','.join(LOOKERS)})")
    parser.add_argument("--first", action="store_true", help="nobody else looks once one has noticed something")
    parser.add_argument("--plans", type=_positive, default=400, help="plans that the explorer makes at most (400)")
    parser.add_argument("--limit", type=_positive, default=120, help="seconds that each may look (120)")
    parser.add_argument("--list", action="store_true", help="list them instead of looking at them")
    return parser.parse_args(arguments)


def _lookers(text: str) -> str:
    if unknown := set(text.split(",")) - set(LOOKERS):
        raise argparse.ArgumentTypeError(f"no such: {', '.join(sorted(unknown))}; there are {', '.join(LOOKERS)}")
    return text


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is no whole number above 0")
    return int(text)


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - the command's own voice
