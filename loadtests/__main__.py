"""The command line of load runs: `python -m loadtests {run,worker,knee,compare}`. `make load` and its like call it.

Exit codes: 0 all thresholds kept; 1 one was broken, or the run could not be made; 2 the command makes no sense; 128 and
the signal's number when interrupted.
"""

import importlib
import signal
import sys

COMMANDS = {
    "run": "loadtests.run",
    "worker": "loadtests.load_worker",
    "knee": "loadtests.knee.command",
    "compare": "loadtests.report.compare",
}


def main() -> int:
    """Run the command that the first word names."""
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        print(f"python -m loadtests {{{','.join(COMMANDS)}}}: the first word says what to do", file=sys.stderr)
        return 2
    # Imports take seconds. A Ctrl-C meanwhile has nothing to clean up: it ends the process without a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from scenarios.processes.signals import ended_in_order  # noqa: PLC0415 - it takes a moment too

    command = importlib.import_module(COMMANDS[sys.argv[1]])
    return ended_in_order(lambda: command.main(sys.argv[2:]))


if __name__ == "__main__":
    sys.exit(main())
