"""The way into a command line of many commands: the first word names one, and it ends in order.

This module imports nothing that takes a moment: until its signals are caught a Ctrl-C ends the process without a word.
"""

import importlib
import os
import signal
import sys
from collections.abc import Mapping
from typing import NoReturn


def run_command(program: str, commands: Mapping[str, str]) -> NoReturn:
    """Run the command that the first word names with the words after it, and end the process with its exit code.

    Args:
        program: what the words stand after, for who gets them wrong.
        commands: the module of each command; its `main` takes the words and returns the exit code.
    """
    code = _run(program, commands)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # only now, with everything shut down: the interpreter can abort at exit (sdk-python #300)


def _run(program: str, commands: Mapping[str, str]) -> int:
    if len(sys.argv) < 2 or sys.argv[1] not in commands:
        print(f"usage: {program} {{{','.join(commands)}}} [--help]", file=sys.stderr)  # noqa: T201
        return 2
    # Imports take seconds. A Ctrl-C meanwhile has nothing to clean up: it ends the process without a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from scenarios.processes.signals import ended_in_order  # noqa: PLC0415 - it takes a moment too

    command = importlib.import_module(commands[sys.argv[1]])
    # From here on there may be: it unwinds the command, whose contexts stop what they started.
    return ended_in_order(lambda: command.main(sys.argv[2:]))
