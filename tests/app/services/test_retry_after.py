from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from app.services.http import seconds_to_wait


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("7", 7),
        (" 7 ", 7),
        ("0", 0),
        ("900", 60),
        ("9" * 400, 60),
        ("-3", None),
        ("soon", None),
        ("\u00b2", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 60),
        ("Fri, 31 Dec 9999 23:59:59 -2359", 60),
        ("Sat, 01 Jan 0001 00:00:00 +2359", 0),
        ("Wed, 21 Oct 99999999999999999999 07:28:00 GMT", None),
    ],
)
def test_what_a_service_asks_for(header: str | None, seconds: float | None) -> None:
    assert seconds_to_wait(header) == seconds


def test_a_date_is_counted_from_now() -> None:
    wait = seconds_to_wait(format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True))
    assert wait is not None
    assert 27 < wait <= 30
