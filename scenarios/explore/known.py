"""Findings that are known and accepted: a file of causes, each with its reason."""

import re
from dataclasses import dataclass
from pathlib import Path

import yaml


class KnownInvalid(Exception):  # noqa: N818 - reads as what it is: this list is invalid
    """The file of known findings cannot be used; the message says where and why."""


@dataclass(frozen=True)
class Known:
    """Causes that are accepted: for each a pattern that the whole cause must fit, and the reason."""

    reasons: tuple[tuple[re.Pattern[str], str], ...] = ()

    def reason(self, cause: str) -> str | None:
        """Return why a cause is accepted, None when it is not."""
        return next((reason for pattern, reason in self.reasons if pattern.fullmatch(cause)), None)


def read_known(path: Path) -> Known:
    """Read the file: a list of `{cause: regular expression, reason: text}`. One that is not there is empty.

    Raises:
        KnownInvalid: it is something else.
    """
    if not path.exists():
        return Known()
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8")) or []
    except yaml.YAMLError as error:
        raise KnownInvalid(f"{path}: is no YAML: {error}") from error
    if not isinstance(entries, list):
        raise KnownInvalid(f"{path}: give a list of {{cause: …, reason: …}}")
    reasons = []
    for place, entry in enumerate(entries):
        if not isinstance(entry, dict) or set(entry) != {"cause", "reason"} or not str(entry["reason"]).strip():
            raise KnownInvalid(f"{path}: entry {place}: give `cause`, a regular expression, and `reason`")
        try:
            reasons.append((re.compile(str(entry["cause"])), str(entry["reason"])))
        except re.error as error:
            raise KnownInvalid(f"{path}: entry {place}: cause: {error}") from error
    return Known(tuple(reasons))
