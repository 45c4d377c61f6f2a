"""`make load-compare`: two runs side by side, from their report.json. It fails when the second is worse."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from loadtests.report import FIGURES, describe, number

NOISE = 0.2
"""A figure may be worse by this share: runs of a minute differ by as much."""
SHORTEST_S = 0.02
"""Durations that differ by less are the same."""


def read_figures(place: Path) -> dict[str, Any]:
    """Read a run's figures, by the folder of its report or the file itself.

    Raises:
        ValueError: there are none.
    """
    path = place / FIGURES if place.is_dir() else place
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise ValueError(f"{path} is no JSON") from None
    if not isinstance(found, dict) or not {"transaction", "requests"} <= found.keys():
        raise ValueError(f"{path} holds no figures of a load run")
    return found


def figures(summary: dict[str, Any]) -> Iterator[tuple[str, float | None, int]]:
    """Yield what two runs are compared by: name, figure, and 1 where more is better, -1 where less is, else 0."""
    parts = {"transaction": summary["transaction"]} | {part: summary["requests"][part] for part in ("start", "status")}
    for part, measured in parts.items():
        for percentile in ("p50_s", "p95_s", "p99_s"):
            yield f"{part} {percentile.removesuffix('_s')}, s", measured.get(percentile), -1
    yield "throughput, /s", summary["throughput"], 1
    for share in ("wrong_share", "status_error_share", "censored_share", "dropped_share"):
        yield share.replace("_", " "), summary[share], -1
    for name in ("worker", "gateway", "temporal"):
        cost = summary["processes"].get(name)
        if cost:
            yield f"CPU of {name} a try-on, s", cost["cpu_each_s"], 0
            yield f"memory of {name} at its peak, MiB", cost["memory_peak"] / 2**20, 0


def worse(name: str, before: float | None, after: float | None, better: int, noise: float) -> bool:
    """Say whether the second figure is worse than the first by more than the noise, or is there no more."""
    if not better or before is None:
        return False
    if after is None:
        return True
    if name.endswith("share"):
        return after > before + 0.01
    change = (after - before) * -better
    return change > noise * before and (better > 0 or change > SHORTEST_S)


def main(arguments: Sequence[str]) -> int:
    """Compare two runs and print what changed."""
    parser = argparse.ArgumentParser(prog="python -m loadtests compare", description="Two load runs side by side.")
    parser.add_argument("before", type=Path, help="the folder of a report, or its report.json")
    parser.add_argument("after", type=Path)
    parser.add_argument("--noise", type=float, default=NOISE, help="how much worse is still the same (default 0.2)")
    chosen = parser.parse_args(arguments)
    try:
        before, after = read_figures(chosen.before), read_figures(chosen.after)
    except ValueError as error:
        print(f"compare: {error}", file=sys.stderr)
        return 2
    print(f"before: {describe(before['plan'])}\nafter:  {describe(after['plan'])}")
    changed = sorted(key for key in before["plan"] if before["plan"][key] != after["plan"].get(key))
    loads = [key for key in changed if key not in ("host", "fakes")]
    if loads:
        print(f"the loads differ ({', '.join(loads)}), so the figures below do not say which system is better")
    found = []
    second = {name: figure for name, figure, _ in figures(after)}
    print(f"{'':34} {'before':>10} {'after':>10} {'ratio':>7}")
    for name, figure, better in figures(before):
        other = second.get(name)
        bad = worse(name, figure, other, better, chosen.noise)
        found += [name] if bad else []
        ratio = f"{other / figure:.2f}" if figure and other is not None else "-"
        print(f"{name:34} {number(figure):>10} {number(other):>10} {ratio:>7}{'  worse' if bad else ''}")
    print(f"compare: {'worse in ' + ', '.join(found) if found else 'not worse'}")
    return 1 if found else 0
