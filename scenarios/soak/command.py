"""`make soak`: 1,000 try-ons in 10 minutes of real processes; with VIRTUAL=1, 2,000 in virtual time."""

import argparse
from collections.abc import Sequence
from pathlib import Path


def main(arguments: Sequence[str]) -> int:
    """Soak and report; 0 when every try-on ended as its faults imply and nothing grew."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--virtual", action="store_true", help="in virtual time, as fast as the machine can")
    parser.add_argument("--workflows", type=int, help="1000, or 2000 with --virtual")
    parser.add_argument("--minutes", type=float, default=10, help="spread the starts over these, in real time")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("out/soak"))
    parser.add_argument("--export", type=Path, help="in real time: each try-on's history as JSON into this folder")
    said = parser.parse_args(arguments)
    # Imported here: each brings a world of its own.
    if said.virtual:
        from scenarios.soak import virtual_time  # noqa: PLC0415

        return virtual_time.soak(said.workflows or 2000, said.seed)
    from scenarios.soak import real_time  # noqa: PLC0415

    return real_time.soak(said.workflows or 1000, said.minutes, said.seed, said.out, said.export)
