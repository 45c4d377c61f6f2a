"""The collector of circles: seldom within the block, as before after it, and at work all the time."""

import gc
import weakref
from contextlib import suppress

from scenarios.processes.collector import SELDOM, collected_seldom


class Circle:
    def __init__(self) -> None:
        self.other = self


def test_what_was_set_before_holds_again_after_an_error_too() -> None:
    before = gc.get_threshold()
    gc.set_threshold(611, 12, 13)
    try:
        with suppress(ZeroDivisionError), collected_seldom():
            assert gc.get_threshold() == SELDOM
            raise ZeroDivisionError
        assert gc.get_threshold() == (611, 12, 13)
    finally:
        gc.set_threshold(*before)


def test_circles_are_found_all_the_same() -> None:
    with collected_seldom():
        gone = weakref.ref(Circle())
        kept = [[] for _ in range(2 * SELDOM[0])]  # type: ignore[var-annotated]
        assert gone() is None
    assert len(kept) == 2 * SELDOM[0]
