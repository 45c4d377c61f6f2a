"""Which operation a request asks for."""

import re
from collections.abc import Iterable

from .calls import Operation


class Routes:
    """The operations of a service by method and path."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        operations = list(operations)
        self._exact = {(each.method, each.path): each for each in operations if "{" not in each.path}
        self._patterns = [(each.method, _pattern(each.path), each) for each in operations if "{" in each.path]

    def find(self, method: str, path: str) -> Operation | None:
        """Return the operation, None when there is none."""
        found = self._exact.get((method, path))
        if found is None:
            for wanted, pattern, operation in self._patterns:
                if method == wanted and pattern.fullmatch(path):
                    return operation
        return found


def _pattern(path: str) -> re.Pattern[str]:
    """Return what matches the paths of an operation."""
    parts = re.split(r"(\{\w+(?::path)?\})", path)
    return re.compile(
        "".join(
            (".+" if part.endswith(":path}") else "[^/]+") if part[:1] == "{" else re.escape(part) for part in parts
        )
    )
