"""What a service said, or why it could not be reached, made fit for a log and for a person's eyes."""

import re

LONGEST = 500
"""Characters of an excerpt."""

_READ = 4096
"""Bytes that an excerpt is made of."""

_MARKUP = re.compile(r"(?is)<(script|style)\b.*?</\1>|<[^<>]*>")
_SIGNATURE = re.compile(r"(?i)\bsig=[^&\s\"']+")
_LONG_WORD = re.compile(r"\S{100,}")


def excerpt(said: bytes | str) -> str | None:
    """Return at most 500 characters on one line: no markup, no control characters, no signatures, no base64."""
    text = said[:_READ].decode(errors="replace") if isinstance(said, bytes) else said[:_READ]
    text = _MARKUP.sub(" ", text)
    text = "".join(character if character.isprintable() else " " for character in text)
    text = _LONG_WORD.sub("…", _SIGNATURE.sub("sig=***", text))
    text = " ".join(text.split())
    return (text if len(text) <= LONGEST else text[: LONGEST - 1] + "…") or None


def reason(error: BaseException) -> str | None:
    """Return what lies at the bottom of an error: of a connection that failed, what the machine said."""
    bottom = root_cause(error)
    return excerpt(str(bottom) or type(bottom).__name__)


def root_cause(error: BaseException) -> BaseException:
    """Return the error that all others are because of. Of several addresses that were tried: that of the first."""
    seen = [error]  # an error that is raised twice may be because of itself
    while True:
        under = error.exceptions[0] if isinstance(error, BaseExceptionGroup) else error.__cause__ or error.__context__
        if under is None or under in seen:
            return error
        seen.append(under)
        error = under
