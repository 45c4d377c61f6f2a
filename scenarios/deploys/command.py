"""`make deploy-check BASE=ref`: can this checkout be deployed over a git reference, and rolled back?"""

import argparse
import logging
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import structlog

from app.pipeline.workflow import JewelryGenerationWorkflow
from scenarios.deploys.check import BACK, FORWARD, Found, advice, check, chosen
from scenarios.deploys.versions import NoVersionError, of_git, same_code


def main(arguments: Sequence[str]) -> int:
    """Check a deploy. Exit codes: 0 safe both ways, 1 not, 2 wrong words."""
    options = _options(arguments)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="deploy-check-") as home:
        try:
            old = of_git(options.base, Path(home))
        except NoVersionError as error:
            print(f"make deploy-check: {error}", file=sys.stderr)  # noqa: T201 - the command's own voice
            return 2
        if same_code(options.base):
            print(f"{options.base} has this checkout's application: nothing is deployed")  # noqa: T201 - as above
            return 0
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
        logging.disable(logging.CRITICAL)  # workflow tasks that fail are the subject
        found = list(check(old, JewelryGenerationWorkflow, chosen(), seed=options.seed, done=_progress))
        print(report(options.base, found, time.perf_counter() - began))  # noqa: T201 - as above
        return int(any(each.problem for each in found))


def report(base: str, found: Sequence[Found], wall_s: float) -> str:
    """Return what was found, by direction and story, with the first event at which it is not safe."""
    lines = []
    for direction, words in ((FORWARD, f"{base} to this checkout"), (BACK, f"this checkout back to {base}")):
        here = [each for each in found if each.direction == direction]
        bad = [each for each in here if each.problem]
        verdict = f"not safe at {len(bad)} of {len(here)} events" if bad else f"safe at {len(here)} events"
        lines.append(f"{words}: {verdict}")
        for story in dict.fromkeys(each.story for each in bad):
            first = next(each for each in bad if each.story == story)
            lines.append(f"  {story}, from event {first.event} on: {first.problem}")
        lines += [f"  what would do: {way}" for way in dict.fromkeys(advice(each.problem) for each in bad)]
    lines.append(f"{len(found)} deploys in {wall_s:.0f} s")
    return "\n".join(lines)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m scenarios deploy-check", description=__doc__)
    parser.add_argument("--base", default="HEAD~1", help="the git reference whose code runs now")
    parser.add_argument("--seed", type=int, default=1, help="part of every workflow id")
    return parser.parse_args(arguments)


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty() and (done % 5 == 0 or done == total):
        sys.stderr.write(f"\r{done}/{total}" + ("\n" if done == total else ""))
        sys.stderr.flush()
