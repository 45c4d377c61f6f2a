"""The commands behind `make up`, `make demo`, `make scenarios`: `python -m scenarios up`, `... demo`, `... run`."""

import importlib
import os
import signal
import sys

COMMANDS = {
    "deploy-check": "scenarios.deploys.command",
    "scenario-from": "scenarios.reproduce.command",
    "atlas": "scenarios.atlas.command",
    "bench": "scenarios.commands.speed",
    "chaos": "scenarios.chaos.command",
    "client": "scenarios.commands.client",
    "console": "scenarios.console.command",
    "contract": "scenarios.contract.command",
    "demo": "scenarios.demo.command",
    "mutants": "scenarios.mutants.command",
    "pictures": "scenarios.console.pictures",
    "explore": "scenarios.commands.explore",
    "play": "scenarios.commands.play",
    "run": "scenarios.commands.run",
    "soak": "scenarios.soak.command",
    "trace": "scenarios.console.trace_command",
    "up": "scenarios.commands.up",
    "test-compose": "scenarios.compose.command",
}


def main() -> int:
    """Run the command that the first argument names, with the arguments after it."""
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        print(f"usage: python -m scenarios {{{','.join(COMMANDS)}}} [--help]", file=sys.stderr)  # noqa: T201
        return 2
    # Imports take a second. A Ctrl-C meanwhile has nothing to clean up: it ends the process without a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from scenarios.processes.signals import ended_in_order  # noqa: PLC0415 - it takes a moment too

    command = importlib.import_module(COMMANDS[sys.argv[1]])
    # From here on there may be: it unwinds the command, whose contexts stop what they started.
    return ended_in_order(lambda: command.main(sys.argv[2:]))


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # only now, with everything shut down: the interpreter can abort at exit (sdk-python #300)
