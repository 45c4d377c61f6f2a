"""`make load-find-knee`: raise the rate until a threshold breaks, name the bottleneck, compare with the formula."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml
from matplotlib.figure import Figure

from fakes.kit.client import AsyncControl
from loadtests import bottleneck, mix as mixes, thresholds
from loadtests.plots import GRID, INK
from loadtests.queueing import wait_at
from loadtests.report import number, write_report
from loadtests.run_command import add_load, guarded, plan_of, target
from loadtests.running import Line, RunError, Target, run
from loadtests.sizing import PERCENTILE, Station, a100s_for, foreseen_knee, stations
from scenarios.engine.programs import RUN

FOLDER = Path(__file__).parent
CLOSE = 0.2
"""The knee is as foreseen when it is this close."""
SLACK = 3.0
"""Without a threshold of one's own, a p95 may be so many seconds over that of the lowest rate."""


@dataclass(frozen=True)
class Step:
    """One rate that was tried. `busiest` is what `bottleneck` says."""

    rate: float
    p95_s: float | None
    throughput: float
    kept: bool
    broken: list[str]
    busiest: str


def main(arguments: Sequence[str]) -> int:
    """Find the knee. Exit code 1: it is not where the formula has it."""
    parser = argparse.ArgumentParser(prog="python -m loadtests knee", description="The rate that breaks a threshold.")
    add_load(parser)
    parser.set_defaults(mix=FOLDER / "knee-mix.yaml", out=Path("out/knee"), seconds=60.0, a100_max_concurrent=50)
    parser.add_argument("--profiles", type=Path, default=FOLDER / "profiles" / "one-a100.yaml", help="of each fake")
    parser.add_argument("--from-rate", type=float, default=0.4, help="the first rate")
    parser.add_argument("--factor", type=float, default=1.4, help="from each rate to the next")
    parser.add_argument("--most", type=int, default=8, help="rates to try at most")
    parser.add_argument("--p95", type=float, default=0.0, help="threshold of a try-on; without it: lowest p95 + 3 s")
    parser.add_argument(
        "--for-rate", type=float, action="append", default=[], help="say how many slots this rate needs"
    )
    chosen = parser.parse_args(arguments)
    chosen.profile = "instant"
    chosen.time_scale = 1.0
    try:
        profiles = yaml.safe_load(chosen.profiles.read_text(encoding="utf-8"))
        mix = mixes.load_mix(chosen.mix, fakes=True)
    except (OSError, yaml.YAMLError, mixes.MixError) as error:
        print(f"knee: {error}", file=sys.stderr)
        return 2
    return guarded(_find(chosen, profiles, mix))


async def _find(chosen: argparse.Namespace, profiles: dict[str, Any], mix: mixes.Mix) -> int:
    async with target(chosen, RUN / f"knee-{os.getpid()}") as loaded:
        told = {}
        for service, url in loaded.fakes.items():
            async with AsyncControl(url) as control:
                if service in profiles:
                    await control.set_profile(profiles[service])
                told[service] = await control.profile()
        if not told:
            raise RunError("the knee needs the fakes' control planes: say --fake SERVICE=URL for each")
        slowest = stations(told, mix, chosen.time_scale)
        print(f"by the formula {slowest[0].name} gives out first, at {slowest[0].capacity:.2f} try-ons/s")
        steps, limit = await _steps(chosen, loaded, slowest)
    return _conclude(chosen, steps, limit, slowest)


async def _steps(chosen: argparse.Namespace, loaded: Target, of: Sequence[Station]) -> tuple[list[Step], float]:
    """Raise the rate until a threshold breaks, then halve the distance twice."""
    steps: list[Step] = []
    limit = chosen.p95
    good, bad = 0.0, 0.0
    rate = min(chosen.from_rate, 0.6 * of[0].capacity)
    for turn in range(chosen.most):
        step = await _step(chosen, loaded, rate, limit)
        limit = limit or (step.p95_s or 0) + SLACK
        steps.append(step)
        print(
            f"{rate:6.2f}/s  p95 {number(step.p95_s):>6} s  completed {step.throughput:.2f}/s  "
            f"{'kept' if step.kept else 'BROKEN: ' + ', '.join(step.broken)}  {step.busiest}",
            flush=True,
        )
        if step.kept:
            good = rate
        else:
            bad = rate
        if not step.kept and turn == 0:
            raise RunError(f"the first rate, {rate:g}/s, breaks a threshold already: begin lower, with --from-rate")
        if bad and bad / good < 1.1:
            break
        rate = (good * bad) ** 0.5 if bad else rate * chosen.factor
    return steps, limit


async def _step(chosen: argparse.Namespace, loaded: Target, rate: float, limit: float) -> Step:
    folder = chosen.out / f"rate-{rate:.3f}"
    folder.mkdir(parents=True, exist_ok=True)
    line = Line(chosen.seconds)
    plan = plan_of(chosen, rate=rate, shape="poisson", drain_s=2 * chosen.seconds)
    try:
        summary = await run(loaded, plan, folder, line)
    finally:
        line.close()
    limits = {"transaction": {"p95_s": limit}} if limit else {}
    judged = thresholds.judge(thresholds.Thresholds.model_validate(limits | {"wrong_share": 0.01}), summary)
    write_report(folder, summary, judged)
    broken = [item.name for item in judged if not item.kept]
    p95 = summary["transaction"].get("p95_s")
    return Step(rate, p95, summary["throughput"], not broken, broken, bottleneck.verdict(summary))


def _conclude(chosen: argparse.Namespace, steps: Sequence[Step], limit: float, of: Sequence[Station]) -> int:
    good = max(step.rate for step in steps if step.kept)
    bad = min((step.rate for step in steps if not step.kept), default=None)
    if bad is None:
        print(f"knee: not found up to {good:.2f}/s; raise --most or --from-rate")
        return 1
    knee = (good * bad) ** 0.5
    base = min(steps, key=lambda step: step.rate)
    assert base.p95_s is not None
    foreseen = foreseen_knee(of, base_rate=base.rate, base_p95=base.p95_s, limit=limit)
    ratio = knee / foreseen
    longest = max(0.1, limit - base.p95_s)
    first = min((step for step in steps if not step.kept), key=lambda step: step.rate)
    a100 = next((station for station in of if station.name == "a100"), of[0])
    rates = chosen.for_rate or [knee, 2 * knee, 5 * knee]
    needed = a100s_for(rates, a100, longest)
    (chosen.out / "knee.json").write_text(
        json.dumps(
            {
                "knee": knee,
                "between": [good, bad],
                "foreseen": foreseen,
                "ratio": ratio,
                "p95_limit_s": limit,
                "bottleneck": first.busiest,
                "steps": [asdict(step) for step in steps],
                "stations": [asdict(station) for station in of],
                "slots_needed": needed,
            },
            indent=1,
        ),
        encoding="utf-8",
    )
    _plot(steps, limit, of[0], base, foreseen).savefig(chosen.out / "knee.png", dpi=150)
    print(f"over the knee: {first.busiest}")
    for rate, slots in needed.items():
        print(f"{rate:6.2f} try-ons/s need {slots} slots of {a100.name}, for a p95 wait within {longest:.1f} s")
    close = abs(ratio - 1) <= CLOSE
    print(
        f"knee: {knee:.2f} try-ons/s (between {good:.2f} and {bad:.2f}), by the formula {foreseen:.2f}: "
        f"{ratio:.2f} of it, {'as foreseen' if close else 'NOT as foreseen'}; plot: {chosen.out / 'knee.png'}"
    )
    return 0 if close else 1


def _plot(steps: Sequence[Step], limit: float, first: Station, base: Step, foreseen: float) -> Figure:
    """The measured p95 at each rate beside the formula's."""
    figure = Figure(figsize=(7.2, 3.8), layout="constrained")
    axes = figure.add_subplot()
    top = max(step.rate for step in steps) * 1.1
    assert base.p95_s is not None
    alone = base.p95_s - wait_at(PERCENTILE, base.rate, first.service, first.slots)
    rates = [top * part / 200 for part in range(1, 201)]
    curve = [(rate, alone + wait_at(PERCENTILE, rate, first.service, first.slots)) for rate in rates]
    highest = max([limit, *(step.p95_s or 0 for step in steps)]) * 1.2
    shown = [(rate, p95) for rate, p95 in curve if p95 < highest]
    axes.plot(*zip(*shown, strict=True), color="#457b9d", label="by the formula")
    for kept, colour, label in ((True, "#2a9d8f", "measured, kept"), (False, "#d62828", "measured, broken")):
        points = [(step.rate, step.p95_s) for step in steps if step.kept is kept and step.p95_s is not None]
        if points:
            axes.plot(*zip(*points, strict=True), "o", color=colour, label=label)
    axes.axhline(limit, color=INK, linestyle=":", linewidth=1)
    axes.axvline(foreseen, color=GRID, linewidth=1)
    axes.set_title(f"The knee: {first.name} with {first.slots} slot{'s' if first.slots > 1 else ''}")
    axes.set_xlabel("try-ons arriving per second")
    axes.set_ylabel("p95 of a try-on, seconds")
    axes.set_ylim(0, highest)
    axes.legend(loc="upper left")
    return figure
