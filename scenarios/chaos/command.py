"""`make chaos`: run the chaos table, or the cases whose name holds one of the words given."""

import argparse
import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

from scenarios.chaos.case import Case
from scenarios.chaos.growth import Growth, Readings
from scenarios.chaos.runner import Outcome, run, settled
from scenarios.chaos.site import StruckStack, open_site
from scenarios.chaos.table import CASES
from scenarios.histories import export
from scenarios.processes.child import StackError
from scenarios.processes.signals import until_signalled


def main(arguments: Sequence[str]) -> int:
    """Run what the command line says; 0 when everything came as it must."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("words", nargs="*", help="run the cases whose name holds one of these words (default: all)")
    parser.add_argument("--list", action="store_true", help="print the names and stop")
    parser.add_argument("--report", type=Path, help="write the table as Markdown to this file")
    parser.add_argument("--export", type=Path, help="write each try-on's history as JSON into this folder")
    said = parser.parse_args(arguments)
    chosen = [case for case in CASES if not said.words or any(word in case.name for word in said.words)]
    if said.list or not chosen:
        _say("\n".join(case.name for case in CASES))
        return 0 if said.list else 2
    try:
        with tempfile.TemporaryDirectory(prefix="chaos-") as home:
            outcomes, grown, why = asyncio.run(until_signalled(_run(Path(home), chosen, said.export)))
    except StackError as error:
        _say(str(error))
        return 1
    lines = table(outcomes, grown)
    if said.report:
        said.report.write_text("\n".join([*lines, ""]))
    bad = [outcome for outcome in outcomes if outcome.why]
    for outcome in bad:
        _say(f"{outcome.case.name}: {outcome.why}")
    if why:
        _say(why)
    _say(f"{len(outcomes)} faults, {len(outcomes) - len(bad)} as they must be; gained at most: {_said(grown)}")
    return 1 if bad or why else 0


async def _run(home: Path, cases: Sequence[Case], histories: Path | None) -> tuple[list[Outcome], list[Growth], str]:
    readings = Readings()
    async with open_site(home) as site:
        await _warm(site)
        readings.take(site.resources())

        def announce(outcome: Outcome) -> None:
            _announce(outcome)
            readings.take(site.resources())

        outcomes = await run(site, cases, announce)
        why = ""
        try:
            await settled(site)
        except AssertionError as error:
            why = str(error)
        if histories:
            await export(site.temporal, site.accepted, histories)
    grown = readings.growth()
    if over := [one for one in grown if one.excess]:
        limits = ", ".join(f"{one.process}: {one.limit.files} files, {one.limit.memory_mb:g} MB" for one in over)
        why += f" grown: {_said(over)}; the limits are: {limits}"
    return outcomes, grown, why.strip()


async def _warm(site: StruckStack) -> None:
    """Run one try-on to its end, so that pools and caches are filled before anything is measured."""
    await site.end(await site.start("chaos:warm"), 60)


def _announce(outcome: Outcome) -> None:
    sign = "NOT" if outcome.why else "ok "
    _say(f"{sign} {outcome.seconds:6.1f} s  {outcome.case.name}  {outcome.why or outcome.note}")


def table(outcomes: Sequence[Outcome], grown: Sequence[Growth]) -> list[str]:
    """Return the outcomes as a table in Markdown, and the growth below it."""
    lines = ["| fault | step | ends | seconds | calls made again |", "| --- | --- | --- | ---: | --- |"]
    for outcome in outcomes:
        case = outcome.case
        ends = "**wrong**" if outcome.why else " ".join(filter(None, (case.status, case.code)))
        note = outcome.why or outcome.note or "none"
        lines.append(f"| {case.fault} | {case.step} | {ends} | {outcome.seconds:.0f} | {note} |")
    return [*lines, "", f"The most that one process gained from its second fault to its last: {_said(grown)}."]


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - the command's own voice


def _said(grown: Sequence[Growth]) -> str:
    return ", ".join(map(str, grown)) or "none lived for long enough to say"
