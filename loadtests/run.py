"""`make load`: one run, on a stack of its own or against HOST; a report, a verdict, an exit code."""

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import structlog
from pydantic import ValidationError

from fakes.kit.client import ControlError
from fakes.registry import SERVICES
from loadtests import mix, thresholds
from loadtests.drive.load_run import Interrupted, ProgressLine, RunError, Target, run
from loadtests.drive.messages import API_KEY
from loadtests.measure import bottleneck
from loadtests.plan import MASTER_PORT, Plan
from loadtests.report.report import number, write_report
from scenarios.processes.child import StackError
from scenarios.processes.signals import until_signalled
from scenarios.stack.programs import RUN, Options
from scenarios.stack.stack import Stack

OUT = Path("out/load")
WATCHED = ("gateway", "temporal", "azurite", *SERVICES)


def add_load(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what is loaded and with what."""
    parser.add_argument("--host", default="", help="an address to load; without it a stack of its own is started")
    parser.add_argument("--api-key", default=os.environ.get(API_KEY, ""), help="sent as X-API-Key; usually API_KEY")
    parser.add_argument("--api-key-name", default="", help="its name in API_KEYS there: faults (--fake) need it")
    parser.add_argument(
        "--fake", action="append", default=[], type=_fake, metavar="SERVICE=URL", help="a fake of that deployment"
    )
    parser.add_argument(
        "--temporal",
        nargs="?",
        const="",
        metavar="HOST:PORT",
        help="read the waits from the Temporal there; namespace, key and TLS, and without HOST:PORT its address too, "
        "come from the environment (TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_TLS_..., TEMPORAL_PROFILE)",
    )
    parser.add_argument("--temporal-ui", default="", metavar="URL", help="Temporal's web page there, for links")
    parser.add_argument("--profile", default="realistic", help="the fakes' profile on a stack of its own")
    parser.add_argument("--time-scale", type=float, default=0.02, help="what the fakes' times are multiplied with")
    parser.add_argument("--workers", type=int, default=1, help="worker processes of a stack of its own")
    parser.add_argument("--a100-max-concurrent", type=int, default=4, help="calls to the A100 at once, of each worker")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--patience", type=float, default=60, help="seconds after which a user has had enough: a timeout"
    )
    parser.add_argument(
        "--max-in-flight", type=int, default=500, help="try-ons that one load generator has running; more are dropped"
    )
    parser.add_argument(
        "--load-workers",
        type=int,
        default=0,
        metavar="N",
        help="wait for so many `make load-worker`, from anywhere, to share the load; 0: it is made here",
    )
    parser.add_argument("--master-host", default="0.0.0.0", help="the address at which they are awaited")  # noqa: S104 - from other machines, which is what it is for
    parser.add_argument("--master-port", type=int, default=MASTER_PORT)
    parser.add_argument("--gather", type=float, default=600, help="seconds for which they are awaited")
    parser.add_argument("--mix", type=Path, default=mix.DEFAULT)
    parser.add_argument("--thresholds", type=Path, default=thresholds.DEFAULT)
    parser.add_argument("--out", type=Path, default=OUT, help="the folder of the report")


def _fake(word: str) -> tuple[str, str]:
    service, _, url = word.partition("=")
    if service not in SERVICES or not url.startswith(("http://", "https://")):
        raise argparse.ArgumentTypeError(f"SERVICE=URL with a service of {', '.join(SERVICES)}, not {word!r}")
    return service, url


@asynccontextmanager
async def target(chosen: argparse.Namespace, home: Path) -> AsyncIterator[Target]:
    """Give what the options name: a deployment, or a stack of its own until the context ends."""
    if chosen.host:
        temporal = None
        if chosen.temporal is not None:
            temporal = os.environ | ({"TEMPORAL_ADDRESS": chosen.temporal} if chosen.temporal else {})
        ui = chosen.temporal_ui.rstrip("/")
        yield Target(chosen.host.rstrip("/"), dict(chosen.fake), temporal=temporal, temporal_ui=ui)
        return
    print("starting a stack: Temporal, Azurite, fakes, worker, gateway ...", file=sys.stderr)
    options = Options(
        profile=chosen.profile,
        time_scale=chosen.time_scale,
        workers=chosen.workers,
        temporal_ui=False,
        extra={"worker": {"A100_MAX_CONCURRENT": str(chosen.a100_max_concurrent)}},
    )
    async with Stack(home=home, options=options) as stack:
        fakes = {service: stack.urls[service] for service in SERVICES}
        pids = {child.name: child.pid for child in stack}
        yield Target(stack.urls["gateway"], fakes, pids, stack.environment)


def plan_of(chosen: argparse.Namespace, **more: Any) -> Plan:
    """Return the plan that the options name; its host is set when there is one."""
    return Plan(
        host=chosen.host or "http://not.yet.known",
        api_key=chosen.api_key or None,
        api_key_name=chosen.api_key_name or None,
        seconds=chosen.seconds,
        seed=chosen.seed,
        patience_s=chosen.patience,
        max_in_flight=chosen.max_in_flight,
        load_workers=chosen.load_workers,
        master=f"{chosen.master_host}:{chosen.master_port}",
        gather_s=chosen.gather,
        mix=chosen.mix.resolve(),
        **more,
    )


def guarded(work: Coroutine[None, None, int]) -> int:
    """Run the work of a command, and say in one line what a user can mend."""
    # What a task beside a run dies of comes out of the run, as such a line.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        return asyncio.run(until_signalled(work))
    except (ControlError, RunError, StackError) as error:
        print(f"load: {error}", file=sys.stderr)
        return 1


def parser() -> argparse.ArgumentParser:
    """Return the parser of one run's options."""
    parser = argparse.ArgumentParser(prog="python -m loadtests run", description="One load run.")
    add_load(parser)
    parser.add_argument("--rate", type=float, default=1.0, help="try-ons a second")
    parser.add_argument("--shape", default="poisson", choices=("constant", "poisson", "ramp", "spike", "day"))
    parser.add_argument("--users", type=int, default=0, help="closed model: so many users instead of a rate")
    parser.add_argument("--think", type=float, default=1.0, help="closed model: seconds between two try-ons of a user")
    parser.add_argument("--drain", type=float, default=60, help="seconds for the last try-ons to end")
    return parser


def main(arguments: Sequence[str]) -> int:
    """Make one run and write its report."""
    chosen = parser().parse_args(arguments)
    model = {"model": "closed", "users": chosen.users, "think_s": chosen.think} if chosen.users else {}
    try:
        limits = thresholds.load_thresholds(chosen.thresholds)
        mix.load_mix(chosen.mix, fakes=dict(chosen.fake) if chosen.host else SERVICES)
        plan = plan_of(chosen, rate=chosen.rate, shape=chosen.shape, drain_s=chosen.drain, **model)
    except (thresholds.ThresholdsError, mix.MixError) as error:
        print(f"load: {error}", file=sys.stderr)
        return 2
    except ValidationError as invalid:
        for problem in invalid.errors(include_url=False):
            print(f"load: {'.'.join(map(str, problem['loc']))}: {problem['msg']}", file=sys.stderr)
        return 2
    try:
        chosen.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        print(f"load: the folder --out {chosen.out} cannot be made: {error.strerror}", file=sys.stderr)
        return 2
    return guarded(_run(chosen, plan, limits))


async def _run(chosen: argparse.Namespace, plan: Plan, limits: thresholds.Thresholds) -> int:
    home = RUN / f"load-{os.getpid()}"
    line = ProgressLine(plan.seconds)
    async with target(chosen, home) as loaded:
        try:
            summary = await run(loaded, plan, chosen.out, line)
        except Interrupted as interrupted:
            _conclude(chosen.out, interrupted.summary, limits)
            raise
        finally:
            line.close()
    return 0 if _conclude(chosen.out, summary, limits) else 1


def _conclude(out: Path, summary: dict[str, Any], limits: thresholds.Thresholds) -> bool:
    """Write the report, print the verdict, and return it."""
    judged = thresholds.judge(limits, summary)
    page = write_report(out, summary, judged)
    for item in judged:
        word = "kept  " if item.kept else "BROKEN"
        print(f"{word} {item.name:18} {number(item.figure):>8}  threshold {number(item.limit)}")
    print(bottleneck.verdict(summary))
    print(f"report: {page}")
    passed = all(item.kept for item in judged) and not summary["interrupted"]
    word = "INTERRUPTED" if summary["interrupted"] else "passed" if passed else "FAILED"
    completed = summary["outcomes"].get("completed", 0)
    print(
        f"load: {word}: {summary['arrived']} arrived, {completed} completed, "
        f"{summary['throughput']:.2f}/s while they arrived, p95 {number(summary['transaction'].get('p95_s'))} s",
        flush=True,
    )
    return passed
