"""`python -m app.doctor`, or `make doctor`: is this configuration able to run try-ons, and what in it is a fake?"""

import argparse
import asyncio
import sys
from collections.abc import Sequence

from app.doctor.checks import Checks
from app.doctor.findings import Verdict, render
from app.doctor.reaching import LIMIT
from app.pipeline.policies import JOB_LIMIT
from app.process.environment import BadEnvironmentError, read_environment
from app.services.assembly import ServiceClients
from app.settings import Settings

_PATIENCE = f"waiting for what does not answer yet: it may be starting ({JOB_LIMIT:.0f} s at most) ..."


async def look(settings: Settings, *, gpu: bool) -> int:
    """Run every check, print what was found, and return the exit code."""
    services = ServiceClients(settings)
    late = asyncio.get_running_loop().call_later(LIMIT, print, _PATIENCE)
    try:
        findings = await Checks(settings, services, gpu=gpu).run()
    finally:
        late.cancel()
        await services.close()
    print(render(findings))  # noqa: T201 - the command's own voice
    return 1 if any(finding.verdict is Verdict.BAD for finding in findings) else 0


def main(arguments: Sequence[str]) -> int:
    """Check the configuration of the environment.

    Exit codes: 0 try-ons will work; 1 a part that they need does not; 2 the environment is not complete.
    """
    parser = argparse.ArgumentParser(
        prog="python -m app.doctor",
        description="Reaches everything that the environment names and says what is fake and what is real. "
        "Leaves a few small blobs behind, under doctor.",
    )
    parser.add_argument("--gpu", action="store_true", help="also have a job, a mask and a picture made: costs GPU time")
    chosen = parser.parse_args(arguments)
    try:
        settings = read_environment()
    except BadEnvironmentError as error:
        print(error, file=sys.stderr)  # noqa: T201 - as above
        return 2
    return asyncio.run(look(settings, gpu=chosen.gpu))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
