"""The command line of load runs: `python -m loadtests {run,worker,knee,compare}`. `make load` and its like call it.

Exit codes: 0 all thresholds kept; 1 one was broken, or the run could not be made; 2 the command makes no sense; 128 and
the signal's number when interrupted.
"""

import sys
from collections.abc import Callable, Sequence

from loadtests import load_worker, run as run_command
from loadtests.knee import command as knee_command
from loadtests.report import compare as compare_command
from scenarios.processes.signals import ended_in_order

COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {
    "run": run_command.main,
    "worker": load_worker.main,
    "knee": knee_command.main,
    "compare": compare_command.main,
}


def main() -> int:
    """Run the command that the first word names."""
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        print(f"python -m loadtests {{{','.join(COMMANDS)}}}: the first word says what to do", file=sys.stderr)
        return 2
    return COMMANDS[sys.argv[1]](sys.argv[2:])


if __name__ == "__main__":
    sys.exit(ended_in_order(main))
