"""The Retry-After header, in both of its forms."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from app.pipeline.policies import RETRY_AFTER_LIMIT


def seconds_to_wait(header: str | None) -> float | None:
    """Return the seconds that a Retry-After header asks for, at most RETRY_AFTER_LIMIT; None without a usable one."""
    if not header:
        return None
    try:
        seconds = float(header) if header.strip().isdigit() else _until(header)
    except (ValueError, OverflowError):  # the latter for a date beyond what Python can count
        return None
    return min(max(seconds, 0.0), RETRY_AFTER_LIMIT)


def _until(http_date: str) -> float:
    moment = parsedate_to_datetime(http_date)
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - datetime.now(UTC)).total_seconds()
