"""Which cases of a long table a day's tests look at: every so many-th; `make test-all` looks at the others."""

from collections.abc import Iterable
from typing import Any

import pytest


def every(step: int, cases: Iterable[Any], reason: str) -> list[Any]:
    """Return the cases, of which all but every `step`-th are long, for this reason.

    A step that shares no divisor with the numbers of a table that is crossed comes by each of its rows and columns.
    """
    long = pytest.mark.long(reason)
    return [case if place % step == 0 else pytest.param(case, marks=long) for place, case in enumerate(cases)]
