"""What services say, as it may be shown: short, on one line, and without what must not be seen."""

import itertools
import socket
import ssl

import httpx
import pytest

from app.services.excerpt import LONGEST, excerpt, reason

KEY = b"c2lnbmF0dXJl" * 4


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (b"", None),
        (b" \r\n\t", None),
        (b'{"detail": "monthly spending limit of $30 reached"}', '{"detail": "monthly spending limit of $30 reached"}'),
        (
            b"modal-http: app for invoked web endpoint is stopped\n",
            "modal-http: app for invoked web endpoint is stopped",
        ),
        (
            b"<html><head><title>502 Bad</title><style>h1 {a: b}</style></head>\r\n<h1>Gateway</h1><hr>nginx</html>",
            "502 Bad Gateway nginx",
        ),
        (b"\x1b[31mred\x1b[0m\x00\x07 line\nline", "[31mred [0m line line"),
        (b"\xff\xfe", "��"),
        (b"see https://a.blob/x?sv=1&sig=" + KEY + b"&se=2", "see https://a.blob/x?sv=1&sig=***&se=2"),
        (b'{"image": "' + b"QUJD" * 4000 + b'"}', '{"image": …'),
        ("ein Bild, größer als erlaubt", "ein Bild, größer als erlaubt"),
    ],
)
def test_an_excerpt_is_clean(said: bytes | str, shown: str | None) -> None:
    assert excerpt(said) == shown


def test_an_excerpt_is_short_and_quick_whatever_comes() -> None:
    for said in (b"word " * 10**6, b"<" * 10**6, b"<script>" * 10**5, b"a <b " * 10**6, b"\xf0" * 10**6):
        assert len(excerpt(said) or "") <= LONGEST


def _raised(*chain: BaseException) -> BaseException:
    for above, under in itertools.pairwise(chain):
        above.__cause__ = under
    return chain[0]


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (httpx.ConnectError("x"), "x"),
        (httpx.ReadError(""), "ReadError"),
        (
            _raised(httpx.ConnectError("all failed"), OSError("all"), socket.gaierror(-3, "Temporary failure")),
            "[Errno -3] Temporary failure",
        ),
        (_raised(httpx.ConnectError("x"), ssl.SSLError(1, "verify failed")), "verify failed"),
        (
            _raised(OSError("all"), ExceptionGroup("several", [ConnectionRefusedError(111, "refused"), OSError("b")])),
            "[Errno 111] refused",
        ),
    ],
)
def test_the_reason_is_at_the_bottom(error: BaseException, shown: str) -> None:
    assert reason(error) == shown


def test_errors_that_are_because_of_each_other_come_to_an_end() -> None:
    first, second = OSError("a"), OSError("b")
    first.__cause__, second.__cause__ = second, first
    assert reason(first) == "b"
