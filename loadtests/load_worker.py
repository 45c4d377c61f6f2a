"""`make load-worker`: one load worker, on any machine, for the run that `make load MASTER=1` waits with elsewhere."""

import argparse
import os
import socket
import sys
from collections.abc import Sequence
from typing import NoReturn

from loadtests.drive.messages import API_KEY
from loadtests.drive.swarm import LOCUST, LOCUSTFILE
from loadtests.plan import MASTER_PORT


def parser() -> argparse.ArgumentParser:
    """Return the parser of a load worker's options."""
    parser = argparse.ArgumentParser(prog="python -m loadtests worker", description="One load worker.")
    parser.add_argument("--master", required=True, metavar="HOST", help="the machine where `make load MASTER=1` runs")
    parser.add_argument("--port", type=int, default=MASTER_PORT, help="its --master-port")
    parser.add_argument("--api-key", default="", help="sent as X-API-Key; usually API_KEY, as the master sends none")
    return parser


def main(arguments: Sequence[str]) -> int:
    """Become the load worker: Locust takes this process over, so that its signals and exit code are its own.

    Exit codes: 0 when the share was made, 1 when the master was not there within five minutes or was lost, 2 when the
    options make no sense.
    """
    chosen = parser().parse_args(arguments)
    try:
        socket.getaddrinfo(chosen.master, chosen.port, type=socket.SOCK_STREAM)
    except (OSError, OverflowError) as error:
        print(f"load-worker: there is no master {chosen.master}:{chosen.port}: {error}", file=sys.stderr)
        return 2
    print(f"load-worker: waiting for the master at {chosen.master}:{chosen.port}", flush=True)
    return _become(chosen)


def _become(chosen: argparse.Namespace) -> NoReturn:
    words = [*LOCUST, "-f", str(LOCUSTFILE), "--worker"]
    words += ["--master-host", chosen.master, "--master-port", str(chosen.port)]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    if chosen.api_key:
        environment[API_KEY] = chosen.api_key
    os.execve(sys.executable, words, environment)  # noqa: S606 - no shell is wanted
