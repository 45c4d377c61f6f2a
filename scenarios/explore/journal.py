"""What was run already, on disk: a run that is taken up again makes the same decisions and runs only what is new."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from scenarios.explore.application import PlanT, Seen, Site


class JournalInvalid(Exception):  # noqa: N818 - reads as what it is: this journal is invalid
    """A journal is not one of this run: another seed, or something else altogether."""


class Journal:
    """Remembers what plans showed, in a file of JSON lines when there is one.

    Raises:
        JournalInvalid: the file that is to be taken up is not of this seed.
    """

    def __init__(self, path: Path | None, *, seed: int, resume: bool) -> None:
        self._known: dict[str, Seen] = {}
        self._path = path
        head = {"explored": 1, "seed": seed}
        if path is not None and resume and path.exists():
            self._read(path, head)
        elif path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(head) + "\n", encoding="utf-8")
        self.resumed = len(self._known)

    def _read(self, path: Path, head: dict[str, int]) -> None:
        lines = path.read_text(encoding="utf-8").splitlines()
        try:
            found = json.loads(lines[0]) if lines else {}
            # The last line may be half a line: the run was killed while it wrote it.
            whole = [line for line in lines[1:] if line.endswith("}")]
            self._known = {entry["plan"]: _seen(entry) for entry in map(json.loads, whole)}
        except (ValueError, KeyError, TypeError) as error:
            raise JournalInvalid(f"{path}: is no journal of an exploration; begin anew without RESUME") from error
        if found != head:
            raise JournalInvalid(
                f"{path}: is of seed {found.get('seed') if isinstance(found, dict) else None}, not {head['seed']}; "
                "take that seed, another folder, or begin anew without RESUME"
            )

    def __contains__(self, digest: str) -> bool:
        return digest in self._known

    def remembering(
        self, digest: Callable[[PlanT], str], run: Callable[[Sequence[PlanT]], list[Seen]]
    ) -> Callable[[Sequence[PlanT]], list[Seen]]:
        """Return a function that runs plans as `run` does, but none twice."""

        def once(plans: Sequence[PlanT]) -> list[Seen]:
            fresh = {digest(plan): plan for plan in plans if digest(plan) not in self._known}
            for name, seen in zip(fresh, run(list(fresh.values())) if fresh else [], strict=True):
                self._write(name, seen)
            return [self._known[digest(plan)] for plan in plans]

        return once

    def _write(self, digest: str, seen: Seen) -> None:
        self._known[digest] = seen
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(_entry(digest, seen), separators=(",", ":")) + "\n")


def _entry(digest: str, seen: Seen) -> dict[str, Any]:
    return {
        "plan": digest,
        "verdict": seen.verdict,
        "cause": seen.cause,
        "problems": seen.problems,
        "behaviours": sorted(seen.behaviours),
        "cells": sorted(seen.cells),
        "sites": seen.sites,
        "ended": seen.ended,
    }


def _seen(entry: dict[str, Any]) -> Seen:
    return Seen(
        verdict=entry["verdict"],
        cause=entry["cause"],
        problems=tuple(entry["problems"]),
        behaviours=frozenset(entry["behaviours"]),
        cells=frozenset(tuple(cell) for cell in entry["cells"]),
        sites=tuple(Site(*site) for site in entry["sites"]),
        ended=entry["ended"],
    )
