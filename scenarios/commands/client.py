"""`make client`: the TypeScript client's types from docs/openapi.json, and the console's api.js from the client.

openapi-typescript and esbuild do the work, in the versions of requirements/client/package-lock.json.
"""

import argparse
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from scenarios.stack.node import node_command

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / ".tools" / "client"
DOCUMENT = ROOT / "docs" / "openapi.json"
CLIENT = ROOT / "docs" / "client"
SCHEMA = CLIENT / "schema.d.ts"
CONSOLE = ROOT / "scenarios" / "console" / "static" / "api.js"

BANNER = "// Made by `make client` out of docs/client/tryon.ts. openapi-fetch is in it: MIT, (c) 2023 Drew Powers."


def main(arguments: Sequence[str]) -> int:
    """Write both files anew."""
    argparse.ArgumentParser(prog="make client", description=__doc__).parse_args(arguments)
    SCHEMA.write_text(schema())
    CONSOLE.write_text(bundle())
    return 0


def schema() -> str:
    """Return the types of the API."""
    # What has a default may be left out of a request all the same.
    return _run("openapi-typescript", str(DOCUMENT), "--default-non-nullable=false")


def bundle() -> str:
    """Return the client as one JavaScript module that browsers take as it is."""
    words = ("tryon.ts", "--bundle", "--format=esm", "--target=es2022", f"--banner:js={BANNER}")
    return _run("esbuild", *words, cwd=beside_its_modules())


def beside_its_modules() -> Path:
    """Return a folder with the client and what it imports, as a frontend has them."""
    for source in (*CLIENT.glob("*.ts"), CLIENT / "tsconfig.json"):
        shutil.copy(source, TOOLS)
    return TOOLS


def _run(program: str, *words: str, cwd: Path = ROOT) -> str:
    done = subprocess.run(  # noqa: S603 - our own programs and words
        [*node_command(program, TOOLS), *words], cwd=cwd, check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout
