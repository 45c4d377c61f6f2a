"""The command line of load runs: `python -m loadtests {run,worker,knee,compare}`. `make load` and its like call it.

Exit codes: 0 all thresholds kept; 1 one was broken, or the run could not be made; 2 the command makes no sense; 128 and
the signal's number when interrupted.
"""

from scenarios.processes.command_line import run_command

COMMANDS = {
    "run": "loadtests.run",
    "worker": "loadtests.load_worker",
    "knee": "loadtests.knee.command",
    "compare": "loadtests.report.compare",
}

if __name__ == "__main__":
    run_command("python -m loadtests", COMMANDS)
