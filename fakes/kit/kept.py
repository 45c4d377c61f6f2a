"""Answers that are kept for who was told to come back for them."""

import secrets
from collections import OrderedDict

from starlette.types import Scope

from .calls import Answer

NAME = "kept"
"""Of the parameter that stands for an answer in an address."""
MOST = 1_000
"""So many are kept; the oldest goes first."""


class KeptAnswers:
    """Each is fetched once, by a GET of the address that it was given."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Answer] = OrderedDict()

    def keep(self, scope: Scope, answer: Answer) -> str:
        """Keep the answer to a request, and return the path and query by which it is fetched."""
        address = f"{scope['path']}?{NAME}={secrets.token_urlsafe(12)}"
        self._kept[address] = answer
        if len(self._kept) > MOST:
            self._kept.popitem(last=False)
        return address

    def fetched(self, scope: Scope) -> Answer | None:
        """Return the answer that a request comes for, and keep it no longer; None when it comes for none."""
        if scope["method"] != "GET":
            return None
        return self._kept.pop(f"{scope['path']}?{scope['query_string'].decode('latin-1')}", None)
