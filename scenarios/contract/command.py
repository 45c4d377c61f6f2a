"""The contract suite's command line: `make contract A100_URLS=… SAM3_URL=…`, or against the project's own fakes."""

import argparse
import asyncio
import os
import shutil
import sys
from collections.abc import Mapping, Sequence

from fakes.registry import SERVICES
from fakes.settings import ServiceSettings
from scenarios.contract.report import Report, render
from scenarios.contract.services import CHECKS, RELIED_ON
from scenarios.contract.under_test import POLL_INTERVAL_S, under_test
from scenarios.pipeline import VARIABLES
from scenarios.processes.child import StackError
from scenarios.processes.signals import until_signalled
from scenarios.stack.programs import RUN, Options
from scenarios.stack.stack import Stack


def main(arguments: Sequence[str]) -> int:
    """Check every service whose variable is set; without any, start the project's own fakes and check those.

    Exit codes: 0 the contract holds; 1 a service deviates; 2 the environment is not complete.
    """
    parser = argparse.ArgumentParser(prog="make contract", description=main.__doc__)
    parser.parse_args(arguments)
    try:
        return asyncio.run(until_signalled(_contract(os.environ)))
    except ValueError as error:
        return _complain(
            f"{error}\nThe service under test and this suite share one blob store: the AZURE_* variables.", 2
        )
    except StackError as error:
        return _complain(str(error), 1)


async def _contract(environment: Mapping[str, str]) -> int:
    urls = addresses(environment)
    if urls:
        reports = await look(urls, ServiceSettings(), POLL_INTERVAL_S)
    else:
        _say("no service is named: this project's own fakes are started and checked\n")
        home = RUN / f"contract-{os.getpid()}"
        options = Options(parts=frozenset({"azurite", *SERVICES}), profile="instant")
        async with Stack(home=home, options=options) as stack:
            azure = {name.lower(): value for name, value in stack.environment.items() if name.startswith("AZURE_")}
            fakes = [(fake, stack.urls[fake]) for fake in SERVICES]
            reports = await look(fakes, ServiceSettings.model_validate(azure), 0.1)
        shutil.rmtree(home, ignore_errors=True)
    _say(render(reports))
    return 1 if any(report.deviations for report in reports) else 0


def addresses(environment: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return each service with an address that the environment names; an A100 for each of A100_URLS."""
    return [
        (service, url.strip().rstrip("/"))
        for service, variable in VARIABLES.items()
        for url in environment.get(variable, "").split(",")
        if url.strip()
    ]


async def look(services: list[tuple[str, str]], settings: ServiceSettings, poll_interval: float) -> list[Report]:
    """Check each service at its address, and return a report for each.

    Raises:
        ValueError: the settings name no blob store.
    """
    reports = []
    for service, url in services:
        report = Report(f"{service} at {url}")
        async with under_test(service, url, settings, poll_interval, report.takes) as bench:
            with report.line("it is there, and not only its host", RELIED_ON):
                await bench.is_there()
            if not report.deviations:
                await CHECKS[service](bench, report)
        reports.append(report)
    return reports


def _say(words: str) -> None:
    print(words, flush=True)  # noqa: T201 - the command's own terminal


def _complain(words: str, code: int) -> int:
    print("\n".join(f"make contract: {line}" for line in words.splitlines()), file=sys.stderr)  # noqa: T201 - as above
    return code
