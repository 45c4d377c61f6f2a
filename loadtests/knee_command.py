"""`make load-find-knee`: raise the rate until a threshold breaks, name the bottleneck, compare with the formula."""

import argparse
import json
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml
from matplotlib.figure import Figure

from fakes.kit.client import AsyncControl
from loadtests import bottleneck, mix as mixes, thresholds
from loadtests.arrivals import Shape, arrivals
from loadtests.plots import INK
from loadtests.report import number, write_report
from loadtests.run_command import add_load, guarded, plan_of, target
from loadtests.running import Line, RunError, Target, run
from loadtests.sizing import Station, a100s_for, foreseen_knee, lasting_knee, stations, stay
from scenarios.engine.programs import RUN

FOLDER = Path(__file__).parent
CLOSE = 0.2
"""The knee is as foreseen when it is this close."""
CLOSE_ENOUGH = 1.1
"""The search ends when the lowest broken rate is so many times the highest kept one."""
SHAPE: Shape = "poisson"
SLACK = 3.0
"""Without a threshold of one's own, a p95 may be so many seconds over that of the lowest rate."""


@dataclass(frozen=True)
class Step:
    """One rate that was tried. `busiest` is what `bottleneck` says."""

    rate: float
    p50_s: float
    p95_s: float
    throughput: float
    kept: bool
    broken: list[str]
    busiest: str


@dataclass(frozen=True)
class Foreseen:
    """What the formulas say, once the lowest rate was measured.

    `elsewhere` are the seconds that a try-on spends outside the bottleneck, `limit` is the threshold of its p95, `knee`
    the rate that breaks it in a run of this length, `lasting` the one that would if it went on for long.
    """

    elsewhere: float
    limit: float
    knee: float
    lasting: float


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
        mix = mixes.load_mix(chosen.mix, fakes=mixes.FAKES)
    except (OSError, yaml.YAMLError, mixes.MixError) as error:
        print(f"knee: {error}", file=sys.stderr)
        return 2
    return guarded(_find(chosen, profiles, mix))


async def _find(chosen: argparse.Namespace, profiles: dict[str, Any], mix: mixes.Mix) -> int:
    async with target(chosen, RUN / f"knee-{os.getpid()}") as loaded, _profiled(loaded, profiles) as told:
        if not told:
            raise RunError("the knee needs the fakes' control planes: say --fake SERVICE=URL for each")
        slowest = stations(told, mix, chosen.time_scale)
        if not slowest:
            raise RunError("no fake has slots, so none gives out: say `capacity` for one in the --profiles file")
        first = slowest[0]
        try:
            a100s_for(chosen.for_rate, _a100(slowest), SLACK)
        except ValueError as error:  # before minutes are spent on the rest
            raise RunError(f"--for-rate: {error}") from None
        print(f"{first.name} gives out first, at {first.capacity:.2f} try-ons/s with every slot busy")
        steps, foreseen = await _steps(chosen, loaded, first)
        over = min((step for step in steps if not step.kept), key=lambda step: step.rate, default=None)
        if over is None:
            print(f"knee: not found up to {steps[-1].rate:.2f}/s; raise --most or --from-rate")
            return 1
        slots = a100s_for([over.rate], first, _longest_wait(first, foreseen))[over.rate]
        more = {**told[first.name], "capacity": {**told[first.name]["capacity"], "slots": slots}}
        async with AsyncControl(loaded.fakes[first.name]) as control:
            await control.set_profile(more)
        proof = await _step(chosen, loaded, over.rate, foreseen.limit, f"-{slots}-slots")
        print(f"with {slots} slots of {first.name}, as the formula says:")
        _print(proof)
    return _conclude(chosen, steps, proof, foreseen, slowest)


@asynccontextmanager
async def _profiled(loaded: Target, profiles: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
    """Give each fake its profile for the run, and its own one back at the end: the fakes may be somebody else's."""
    async with AsyncExitStack() as closing:
        told = {}
        for service, url in loaded.fakes.items():
            control = await closing.enter_async_context(AsyncControl(url))
            closing.push_async_callback(control.set_profile, await control.profile())
            if service in profiles:
                await control.set_profile(profiles[service])
            told[service] = await control.profile()
        yield told


async def _steps(chosen: argparse.Namespace, loaded: Target, first: Station) -> tuple[list[Step], Foreseen]:
    """Raise the rate until a threshold breaks, then halve the distance until it is within a tenth."""
    rate = min(chosen.from_rate, 0.6 * first.capacity)
    step = await _step(chosen, loaded, rate, chosen.p95)
    _print(step)
    if not step.kept:
        raise RunError(f"the first rate, {rate:g}/s, breaks a threshold already: begin lower, with --from-rate")
    foreseen = _foresee(chosen, step, first)
    print(f"the formula has it break at {foreseen.knee:.2f}/s, with a p95 over {foreseen.limit:.2f} s", flush=True)
    steps, good, bad = [step], rate, 0.0
    while len(steps) < chosen.most and not (bad and bad / good < CLOSE_ENOUGH):
        rate = (good * bad) ** 0.5 if bad else rate * chosen.factor
        step = await _step(chosen, loaded, rate, foreseen.limit)
        _print(step)
        steps.append(step)
        good, bad = (rate, bad) if step.kept else (good, rate)
    return steps, foreseen


def _foresee(chosen: argparse.Namespace, lowest: Step, first: Station) -> Foreseen:
    def plan(rate: float) -> list[float]:
        return arrivals(SHAPE, rate, chosen.seconds, chosen.seed)

    elsewhere = max(0.0, lowest.p50_s - stay(first, plan(lowest.rate)).median)
    limit = chosen.p95 or lowest.p95_s + SLACK
    knee = foreseen_knee(first, plan, lowest=lowest.rate, elsewhere=elsewhere, limit=limit)
    return Foreseen(elsewhere, limit, knee, lasting_knee(first, elsewhere=elsewhere, limit=limit))


def _a100(of: Sequence[Station]) -> Station:
    """Return the A100s, whose number costs most; the bottleneck where they have no slots."""
    return next((station for station in of if station.name == "a100"), of[0])


def _longest_wait(first: Station, foreseen: Foreseen) -> float:
    return max(0.1, foreseen.limit - foreseen.elsewhere - first.service.mean)


async def _step(chosen: argparse.Namespace, loaded: Target, rate: float, limit: float, name: str = "") -> Step:
    folder = chosen.out / f"rate-{rate:.3f}{name}"
    folder.mkdir(parents=True, exist_ok=True)
    line = Line(chosen.seconds)
    plan = plan_of(chosen, rate=rate, shape=SHAPE, drain_s=2 * chosen.seconds)
    try:
        summary = await run(loaded, plan, folder, line)
    finally:
        line.close()
    limits = {"transaction": {"p95_s": limit}} if limit else {}
    judged = thresholds.judge(thresholds.Thresholds.model_validate(limits | {"wrong_share": 0.01}), summary)
    write_report(folder, summary, judged)
    broken = [item.name for item in judged if not item.kept]
    transaction = summary["transaction"]
    if not transaction["count"]:
        raise RunError(f"at {rate:g}/s no try-on completed; see {folder}")
    p50, p95, completed = transaction["p50_s"], transaction["p95_s"], summary["throughput"]
    return Step(rate, p50, p95, completed, not broken, broken, bottleneck.verdict(summary))


def _print(step: Step) -> None:
    word = "kept" if step.kept else "BROKEN: " + ", ".join(step.broken)
    p95, completed = number(step.p95_s), step.throughput
    print(f"{step.rate:6.2f}/s  p95 {p95:>6} s  completed {completed:.2f}/s  {word}  {step.busiest}", flush=True)


def _conclude(
    chosen: argparse.Namespace, steps: Sequence[Step], proof: Step, foreseen: Foreseen, of: Sequence[Station]
) -> int:
    first = of[0]
    good = max(step.rate for step in steps if step.kept)
    over = min((step for step in steps if not step.kept), key=lambda step: step.rate)
    knee = (good * over.rate) ** 0.5
    ratio = knee / foreseen.knee
    longest = _longest_wait(first, foreseen)
    a100 = _a100(of)
    needed = a100s_for(chosen.for_rate or [knee, 2 * knee, 5 * knee], a100, longest)
    (chosen.out / "knee.json").write_text(
        json.dumps(
            {
                "knee": knee,
                "between": [good, over.rate],
                "foreseen": asdict(foreseen),
                "ratio": ratio,
                "bottleneck": over.busiest,
                "steps": [asdict(step) for step in steps],
                "with_more_slots": asdict(proof),
                "stations": [
                    {"name": station.name, "slots": station.slots, **asdict(station.service)} for station in of
                ],
                "slots_needed": needed,
            },
            indent=1,
        ),
        encoding="utf-8",
    )
    _plot(chosen, steps, foreseen, first).savefig(chosen.out / "knee.png", dpi=150)
    print(f"over the knee: {over.busiest}")
    for rate, slots in needed.items():
        print(f"{rate:6.2f} try-ons/s need {slots} slots of {a100.name}, for a p95 wait within {longest:.1f} s")
    if over.rate / good >= CLOSE_ENOUGH:
        print(f"knee: somewhere between {good:.2f} and {over.rate:.2f}/s; raise --most to find it")
        return 1
    close = abs(ratio - 1) <= CLOSE
    print(
        f"knee: {knee:.2f} try-ons/s (between {good:.2f} and {over.rate:.2f}), by the formula {foreseen.knee:.2f}: "
        f"{ratio:.2f} of it, {'as foreseen' if close else 'NOT as foreseen'} (for long: {foreseen.lasting:.2f}); "
        f"more slots {'kept' if proof.kept else 'did NOT keep'} {proof.rate:.2f}; plot: {chosen.out / 'knee.png'}"
    )
    return 0 if close and proof.kept else 1


def _plot(chosen: argparse.Namespace, steps: Sequence[Step], foreseen: Foreseen, first: Station) -> Figure:
    """The measured p95 at each rate beside the formula's."""
    figure = Figure(figsize=(7.2, 3.8), layout="constrained")
    axes = figure.add_subplot()
    lowest, highest = min(step.rate for step in steps), max(step.rate for step in steps)
    rates = [lowest + (1.05 * highest - lowest) * part / 40 for part in range(41)]
    planned = (arrivals(SHAPE, rate, chosen.seconds, chosen.seed) for rate in rates)
    axes.plot(
        rates, [foreseen.elsewhere + stay(first, plan).p95 for plan in planned], color="#457b9d", label="foreseen"
    )
    for kept, colour, label in ((True, "#2a9d8f", "measured, kept"), (False, "#d62828", "measured, broken")):
        points = [(step.rate, step.p95_s) for step in steps if step.kept is kept]
        if points:
            axes.plot(*zip(*points, strict=True), "o", color=colour, label=label)
    axes.axhline(foreseen.limit, color=INK, linestyle=":", linewidth=1, label="threshold")
    axes.axvline(foreseen.knee, color="#457b9d", linestyle="--", linewidth=1, label="foreseen knee")
    axes.set_title(f"The knee: {first.name} with {first.slots} slot{'s' if first.slots > 1 else ''}")
    axes.set_xlabel("try-ons arriving per second")
    axes.set_ylabel("p95 of a try-on, seconds")
    axes.set_ylim(bottom=0)
    axes.legend(loc="lower left")
    return figure
