"""Every error code with what it means and what to do, from the one tree of errors in the code."""

from typing import Any

from app.errors import error_classes


def codes() -> dict[str, dict[str, Any]]:
    """Return meaning, advice, whether it is retried, and the steps, by code. The most general class speaks for it."""
    found: dict[str, dict[str, Any]] = {}
    for error in error_classes():
        found.setdefault(
            error.code,
            {
                "meaning": " ".join((error.__doc__ or "").partition("\n\n")[0].split()),
                "advice": error.advice,
                "retried": error.retryable,
                "steps": [str(step) for step in error.steps],
            },
        )
    return found
