#!/usr/bin/env python3
"""The healthcheck of the images, on the standard library alone so that it starts in milliseconds.

`probe http PORT PATH` passes when that path answers below 400 on this machine.
PORT may name the variable that holds it.
`probe file PATH SECONDS` passes when that file was touched within so many seconds: a worker's event loop turns.
Exit code 0 when it passes; 1 with a line on stderr when not; 2 for other words.
"""

import http.client
import os
import sys
import time
from pathlib import Path

TIMEOUT_S = 4


def http_answers(port: int, path: str) -> str:
    """Return what is wrong with the answer, empty when nothing is."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", path)
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return f"port {port} does not answer: {error}"
    finally:
        connection.close()
    return "" if status < 400 else f"{path} answered {status}"


def file_is_fresh(path: Path, seconds: float) -> str:
    """Return what is wrong with the file, empty when nothing is."""
    try:
        age = time.time() - path.stat().st_mtime
    except OSError as error:
        return str(error)
    return "" if age < seconds else f"{path} was last touched {age:.0f} s ago"


def main(words: list[str]) -> int:
    """Run one probe."""
    match words:
        case ["http", port, path]:
            problem = http_answers(int(os.environ.get(port, port)), path)
        case ["file", path, seconds]:
            problem = file_is_fresh(Path(path), float(seconds))
        case _:
            print(__doc__, file=sys.stderr)  # noqa: T201 - the command's own voice
            return 2
    if problem:
        print(problem, file=sys.stderr)  # noqa: T201 - as above
    return 1 if problem else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
