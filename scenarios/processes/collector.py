"""Python's collector of circles of objects, called more seldom: it is a tenth of a process that runs many stories."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

SELDOM = (20_000, 10, 10)
"""New objects until it looks at the youngest, and rounds until it looks at older ones; Python's own are 700, 10, 10."""


@contextmanager
def collected_seldom() -> Iterator[None]:
    """Let the collector look more seldom within the block. Circles live a little longer; none is kept."""
    before = gc.get_threshold()
    gc.set_threshold(*SELDOM)
    try:
        yield
    finally:
        gc.set_threshold(*before)
