"""`make audit`: ask the advisory databases about each dependency that is pinned, those of Python and those of Node.

pip-audit and npm do the asking. Both end with 1 for a weakness and for a database that is away: told apart here.
"""

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TextIO

from scenarios.stack.node import node_command

REQUIREMENTS = Path(__file__).resolve().parents[2] / "requirements"
LIMIT_S = 600
AT_ONCE = 4
"""Lists side by side: most of the time is waiting for answers."""

_CAUSE = re.compile(r"(?:[\w.]+(?:Error|Timeout):|ERROR:[\w.]+:|npm error) ?(?P<cause>.+)")
"""The line of a tool's error output that says why: the end of a traceback, a log line, or npm's own."""


class UnansweredError(Exception):
    """The database was not reached, or did not answer as one; the message says why."""


def main(arguments: Sequence[str]) -> int:
    """Ask about every list under `requirements`, and print what is known.

    Exit codes: 0 no weakness is known; 1 some are; 2 a database gave no answer, so that nothing is known of a list.
    """
    parser = argparse.ArgumentParser(prog="make audit", description=__doc__)
    parser.add_argument("--lists", type=Path, default=REQUIREMENTS, help="the folder of the lists")
    parser.add_argument("--osv-url", help="another OSV database than pip-audit's own; npm asks its own registry")
    chosen = parser.parse_args(arguments)
    lists = sorted([*chosen.lists.glob("*.txt"), *chosen.lists.glob("*/package-lock.json")])
    if not lists:
        parser.error(f"{chosen.lists} holds no *.txt and no */package-lock.json")

    def ask(path: Path) -> tuple[list[str], str]:
        try:
            return sorted(_node(path) if path.suffix == ".json" else _python(path, chosen.osv_url)), ""
        except UnansweredError as error:
            return [], str(error)

    code = 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for path, (known, cause) in zip(lists, pool.map(ask, lists), strict=True):
            name = path.relative_to(chosen.lists)
            if cause:
                code = 2
                _say(f"make audit: {name}: the advisory database cannot be asked: {cause}", sys.stderr)
            elif known:
                code = code or 1
                _say("\n  ".join([f"{name}: {len(known)} known", *known]))
            else:
                _say(f"{name}: nothing known")
    return code


def _python(path: Path, osv_url: str | None) -> Iterator[str]:
    words = [str(Path(sys.executable).parent / "pip-audit"), "--strict", "--disable-pip", "--require-hashes"]
    words += ["--vulnerability-service=osv", "--format=json", "--progress-spinner=off", f"--requirement={path}"]
    words += [f"--osv-url={osv_url}"] if osv_url else []
    for found in _answer(words, "dependencies", path.parent):
        for weakness in found["vulns"]:
            mended = ", ".join(weakness["fix_versions"]) or "no version"
            yield f"{found['name']} {found['version']}: {weakness['id']}, mended in {mended}: {weakness['description']}"


def _node(path: Path) -> Iterator[str]:
    words = [*node_command("npm"), "audit", "--package-lock-only", "--json", "--logs-max=0"]
    words += ["--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-timeout=30000"]
    for name, found in _answer(words, "vulnerabilities", path.parent).items():
        for weakness in found["via"]:
            if isinstance(weakness, dict):  # a word names another package that is in the answer by itself
                said = f"{weakness['severity']}, {weakness['url']}: {weakness['title']}"
                yield f"{name} {weakness['range']}: {said}"


def _answer(words: Sequence[str], field: str, folder: Path) -> Any:
    """Return what a tool says in this field of its JSON.

    Raises:
        UnansweredError: it says nothing there.
    """
    try:
        done = subprocess.run(  # noqa: S603 - the words are ours
            words, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise UnansweredError(f"no answer within {LIMIT_S} s") from None
    try:
        said = json.loads(done.stdout)
    except ValueError:
        said = {}
    if field in said:
        return said[field]
    causes = [found["cause"] for line in done.stderr.splitlines() if (found := _CAUSE.match(line))]
    raise UnansweredError(said.get("message") or (causes or done.stderr.splitlines() or ["it said nothing"])[-1])


def _say(words: str, stream: TextIO | None = None) -> None:
    print(words, file=stream, flush=True)
