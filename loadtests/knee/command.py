"""`make load-find-knee`: the rate that breaks a threshold, the bottleneck there, and how many slots a rate needs."""

import argparse
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from pydantic import ValidationError

from fakes.kit.client import AsyncControl, ControlError
from fakes.registry import SERVICES
from loadtests import mix as mixes
from loadtests.drive.load_run import Target
from loadtests.knee.input import OWN_STACK, KneeError, KneeThresholds, load_limits, load_profiles, refused, settle
from loadtests.knee.report import write_page
from loadtests.knee.search import Knee, Search, longest_waits
from loadtests.knee.sizing import Station, slots_for, stations
from loadtests.run import add_load, guarded, plan_of, target
from loadtests.thresholds import ThresholdsError
from scenarios.stack.programs import RUN

FOLDER = Path(__file__).parents[1]
DEFAULT_THRESHOLDS = FOLDER / "knee-thresholds.yaml"


@dataclass(frozen=True)
class Told:
    """What each fake says of itself, by service: its profile, and what its times are multiplied with."""

    profiles: dict[str, Any]
    scales: dict[str, float]


def main(arguments: Sequence[str]) -> int:
    """Find the knee. Exit code 1: not found, or not where the formula has it; 2: the options make no sense."""
    parser = argparse.ArgumentParser(prog="python -m loadtests knee", description="The rate that breaks a threshold.")
    add_load(parser)
    parser.set_defaults(
        mix=FOLDER / "knee-mix.yaml", out=Path("out/knee"), seconds=60.0, thresholds=DEFAULT_THRESHOLDS, profile=None
    )
    parser.set_defaults(**dict.fromkeys(OWN_STACK))
    parser.add_argument("--profiles", type=Path, default=FOLDER / "profiles" / "one-a100.yaml", help="of each fake")
    parser.add_argument("--from-rate", type=float, default=0.4, help="the first rate")
    parser.add_argument("--factor", type=float, default=1.4, help="from each rate to the next")
    parser.add_argument("--most", type=int, default=8, help="rates to try at most")
    parser.add_argument(
        "--for-rate", type=float, action="append", default=[], help="say how many slots this rate needs"
    )
    chosen = parser.parse_args(arguments)
    try:
        settle(chosen)
        profiles = load_profiles(chosen.profiles)
        limits = load_limits(chosen.thresholds)
        mix = mixes.load_mix(chosen.mix, fakes=SERVICES)
        plan_of(chosen, rate=chosen.from_rate)
    except ValidationError as invalid:
        return _refuse(refused(invalid))
    except (KneeError, ThresholdsError, mixes.MixError) as error:
        return _refuse(error)
    return guarded(_find(chosen, profiles, limits, mix))


def _refuse(error: Exception) -> int:
    print(f"knee: {error}", file=sys.stderr)
    return 2


async def _find(chosen: argparse.Namespace, profiles: dict[str, Any], limits: KneeThresholds, mix: mixes.Mix) -> int:
    try:
        async with target(chosen, RUN / f"knee-{os.getpid()}") as loaded, _profiled(loaded, profiles) as told:
            await _answers(loaded.host)
            # What runs elsewhere does not say how many calls its workers make at once.
            places = None if chosen.host else chosen.workers * chosen.a100_max_concurrent
            found = _stations(told, mix, places, chosen.for_rate)
            first = found[0]
            print(f"{first.name} gives out first, at {first.capacity:.2f} try-ons/s with every slot busy", flush=True)
            search = Search(chosen, loaded, limits)
            steps, foresight, foreseen = await search.steps(first)
            scale = partial(_scale, loaded.fakes[first.name], told.profiles[first.name])
            proof = await search.prove(steps, foresight, places, scale)
    except KneeError as error:
        return _refuse(error)
    knee = Knee(chosen.seconds, chosen.seed, found, steps, foresight, foreseen, proof)
    about, waits = knee.rate or max(step.rate for step in steps), longest_waits(foresight)
    needs = [slots_for(rate, _a100(found), waits) for rate in chosen.for_rate or (about, 2 * about, 5 * about)]
    knee = replace(knee, needs=needs)
    page = write_page(chosen.out, knee, _a100(found))
    _conclude(knee, _a100(found))
    print(f"knee: {_sentence(knee)}; page: {page}")
    return 0 if knee.passed else 1


@asynccontextmanager
async def _profiled(loaded: Target, profiles: dict[str, Any]) -> AsyncIterator[Told]:
    """Give each fake its profile for the run, and its own one back at the end: the fakes may be somebody else's."""
    async with AsyncExitStack() as closing:
        told = Told({}, {})
        for service, url in loaded.fakes.items():
            if service not in SERVICES:
                raise KneeError(f"--fake {service}: the fakes are {', '.join(SERVICES)}")
            control = await closing.enter_async_context(AsyncControl(url))
            try:
                state, own = await control.health(), await control.profile()
            except ControlError as error:
                raise KneeError(f"the fake {service} cannot be asked: {error}") from None
            if state["service"] != service:
                raise KneeError(f"--fake {service}: at {url} is the fake of {state['service']}")
            closing.push_async_callback(_give_back, control, service, own)
            if service in profiles:
                await control.set_profile(profiles[service])
            told.profiles[service] = await control.profile()
            told.scales[service] = state["time_scale"]
        yield told


async def _give_back(control: AsyncControl, service: str, profile: dict[str, Any]) -> None:
    try:
        await control.set_profile(profile)
    except ControlError as error:
        print(f"knee: the fake {service} did not take its own profile back: {error}", file=sys.stderr)


async def _answers(host: str) -> None:
    """Refuse a host that nobody listens at, before a minute is spent on it."""
    try:
        async with httpx.AsyncClient(timeout=10) as client:
            await client.get(f"{host}/health")
    except httpx.HTTPError as error:
        raise KneeError(f"--host {host} does not answer: {error or type(error).__name__}") from None


def _stations(told: Told, mix: mixes.Mix, places: int | None, rates: Sequence[float]) -> list[Station]:
    """Return the services with slots, and refuse a rate beyond any number of them before minutes are spent."""
    found = stations(told.profiles, mix, told.scales, places)
    if not found:
        raise KneeError("no fake has slots, so none gives out: say `capacity` for one in the --profiles file")
    a100 = _a100(found)
    try:
        for rate in rates:
            slots_for(rate, a100, {95.0: a100.service.mean})
    except ValueError as error:
        raise KneeError(f"--for-rate: {error}") from None
    return found


async def _scale(url: str, profile: dict[str, Any], slots: int) -> None:
    async with AsyncControl(url) as control:
        await control.set_profile({**profile, "capacity": {**profile["capacity"], "slots": slots}})


def _a100(of: Sequence[Station]) -> Station:
    """Return the A100s, whose number costs most; the bottleneck where they have no slots."""
    return next((station for station in of if station.name == "a100"), of[0])


def _conclude(knee: Knee, a100: Station) -> None:
    if knee.over is not None:
        print(f"over the knee: {knee.over.busiest}")
    if knee.doubt:
        print(f"{knee.doubt}.")
    for need in knee.needs:
        print(
            f"{need.rate:6.2f} try-ons/s need {need.slots} slots of {a100.name}, {need.busy:.0%} busy, "
            f"with a p95 wait of {need.wait_s:.1f} s"
        )
    if knee.proof is not None and knee.proof.step is None:
        print(f"{knee.proof.slots} slots of {knee.first.name} were not tried: {knee.proof.why}")


def _sentence(knee: Knee) -> str:
    over, foreseen = knee.over, knee.foreseen
    if over is None:
        return f"not found up to {knee.good:.2f}/s; raise --most or --from-rate"
    broke = " and ".join(item.name for item in over.broken)
    if knee.rate is None:
        return f"somewhere between {knee.good:.2f} and {over.rate:.2f}/s, where {broke} broke; raise --most to find it"
    told = (
        f"{knee.rate:.2f} try-ons/s ({knee.good:.2f} kept, {over.rate:.2f} broke {broke}), by the formula "
        f"{foreseen.knee:.2f}: {knee.ratio:.2f} of it, {'as foreseen' if knee.as_foreseen else 'NOT as foreseen'}; "
        f"other arrivals {foreseen.low:.2f} to {foreseen.high:.2f}; for long {foreseen.lasting:.2f}"
    )
    if knee.proof is not None and knee.proof.step is not None:
        kept = "kept" if knee.proof.step.kept else "did NOT keep"
        told += f"; {knee.proof.slots} slots {kept} {knee.proof.step.rate:.2f}"
    return told
