"""`make load-compare`: two runs side by side, as a table and a page. It fails when the second is worse."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loadtests.report.plot_list import svg
from loadtests.report.plots import percentile_curves
from loadtests.report.report import FIGURES, describe, number, render, when

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
    if not isinstance(found, dict) or not {"transaction", "requests", "curves"} <= found.keys():
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
    for name, cost in summary["processes"].items():
        if name.startswith(("worker", "gateway", "temporal")):  # there may be several workers
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


@dataclass(frozen=True)
class ComparedFigure:
    """One figure of both runs."""

    name: str
    before: float | None
    after: float | None
    worse: bool

    @property
    def ratio(self) -> str:
        """The second as a multiple of the first."""
        return f"{self.after / self.before:.2f}" if self.before and self.after is not None else "-"


def compare(before: dict[str, Any], after: dict[str, Any], noise: float) -> list[ComparedFigure]:
    """Return every figure of the first run beside the second's."""
    second = {name: figure for name, figure, _ in figures(after)}
    return [
        ComparedFigure(name, figure, second.get(name), worse(name, figure, second.get(name), better, noise))
        for name, figure, better in figures(before)
    ]


def differences(before: dict[str, Any], after: dict[str, Any]) -> str:
    """Say in what the loads differ; "" when they are the same."""
    names = {*before["plan"], *after["plan"]} - {"host", "fakes"}
    changed = sorted(name for name in names if before["plan"].get(name) != after["plan"].get(name))
    if not changed:
        return ""
    return f"the loads differ ({', '.join(changed)}), so the figures do not say which system is better"


def write_page(path: Path, before: dict[str, Any], after: dict[str, Any], lines: Sequence[ComparedFigure]) -> None:
    """Write the comparison as one self-contained page."""
    curves = {name: run["curves"]["try-on"] for name, run in (("before", before), ("after", after))}
    drawn = any(curves.values())
    page = render(
        "compare.html.j2",
        passed=not any(line.worse for line in lines),
        runs=[(name, describe(run["plan"]), run, when(run)) for name, run in (("before", before), ("after", after))],
        lines=lines,
        differences=differences(before, after),
        plot=svg(percentile_curves("How long the slowest try-ons took", curves)) if drawn else "",
    )
    path.write_text(page, encoding="utf-8")


def main(arguments: Sequence[str]) -> int:
    """Compare two runs: print what changed, and write it as a page."""
    parser = argparse.ArgumentParser(prog="python -m loadtests compare", description="Two load runs side by side.")
    parser.add_argument("before", type=Path, help="the folder of a report, or its report.json")
    parser.add_argument("after", type=Path)
    parser.add_argument("--noise", type=float, default=NOISE, help="how much worse is still the same (default 0.2)")
    parser.add_argument("--out", type=Path, help="the page to write (default: compare.html beside the second report)")
    chosen = parser.parse_args(arguments)
    folder = chosen.after if chosen.after.is_dir() else chosen.after.parent
    out = chosen.out or folder / "compare.html"
    try:
        before, after = read_figures(chosen.before), read_figures(chosen.after)
        lines = compare(before, after, chosen.noise)
        write_page(out, before, after, lines)
    except ValueError as error:
        print(f"compare: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"compare: the page {out} cannot be written: {error.strerror}", file=sys.stderr)
        return 2
    print(f"before: {describe(before['plan'])}\nafter:  {describe(after['plan'])}")
    if differ := differences(before, after):
        print(differ)
    print(f"{'':34} {'before':>10} {'after':>10} {'ratio':>7}")
    for line in lines:
        bad = "  worse" if line.worse else ""
        print(f"{line.name:34} {number(line.before):>10} {number(line.after):>10} {line.ratio:>7}{bad}")
    found = [line.name for line in lines if line.worse]
    print(f"page: {out}")
    print(f"compare: {'worse in ' + ', '.join(found) if found else 'not worse'}")
    return 1 if found else 0
