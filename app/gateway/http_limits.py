"""What one connection may take of the gateway: bytes and seconds of headers, and a slow reader's time.

uvicorn with httptools has no limit on headers, and no timer but that of an idle connection after its first answer. With
h11 it has the limit and not the timers, and a photo costs half as much CPU again.
"""

import asyncio
from typing import Any

import structlog
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from app.errors.request import HeadersTimeoutError, HeadersTooLargeError, RequestError
from app.gateway.api.errors import problem_response

MAX_HEAD = 64 * 1024
"""Bytes of a request's target, headers and trailers. Each header counts 32 more, as in HTTP/2."""

HEAD_TIMEOUT = 10.0
"""Seconds for the headers to arrive, from their first byte."""

READER_TIMEOUT = 30.0
"""Seconds that a client has to take what was sent, from when it stopped taking it as fast as it came."""

LINGER = 2.0
"""Seconds that a refused connection is still read, and nothing kept: closed at once, it would lose the answer."""

_HEADER_OVERHEAD = 32

log = structlog.get_logger(__name__)


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with these limits. It refuses what is too much or too slow, and aborts readers that stall."""

    def __init__(self, *given: Any, **named: Any) -> None:
        """Serve a connection as uvicorn asks for it."""
        super().__init__(*given, **named)
        self._head_size = 0
        self._unparsed = 0  # bytes since the parser last had something to tell: half a header, or a chunk's extension
        self._in_head = False
        self._refused = False
        self._head_timer: asyncio.TimerHandle | None = None
        self._reader_timer: asyncio.TimerHandle | None = None
        self._linger_timer: asyncio.TimerHandle | None = None

    # ------------------------------------------------------------ the connection
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin; who sends nothing is idle."""
        super().connection_made(transport)
        self._expect_a_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        for timer in (self._head_timer, self._reader_timer, self._linger_timer):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what came, unless it is too much."""
        if self._refused:
            return
        self._unparsed += len(data)
        super().data_received(data)
        if self._refused or self.transport.is_closing():
            return
        if self._unparsed > MAX_HEAD:
            self._refuse(_too_large())
        elif not self._in_head:
            self._expect_a_request()
        elif self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_TIMEOUT, self._refuse, _too_slow())

    # ------------------------------------------------------------ what the parser tells
    def on_message_begin(self) -> None:
        """Count anew."""
        super().on_message_begin()
        self._in_head = True
        self._head_size = 0

    def on_url(self, url: bytes) -> None:
        """Count a piece of the target."""
        super().on_url(url)
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count a header or a trailer."""
        super().on_header(name, value)
        self._count(len(name) + len(value) + _HEADER_OVERHEAD)

    def on_headers_complete(self) -> None:
        """Go on to the body."""
        self._in_head = False
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Hand on a piece of the body: it is counted elsewhere."""
        self._unparsed = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request."""
        self._unparsed = 0
        super().on_message_complete()

    def _count(self, size: int) -> None:
        self._unparsed = 0
        self._head_size += size
        if self._head_size > MAX_HEAD:
            raise ValueError("too large")  # the parser stops, and uvicorn comes to `send_400_response`

    # ------------------------------------------------------------ slow readers
    def pause_writing(self) -> None:
        """Give the reader its time."""
        super().pause_writing()
        self._watch_the_reader()

    def resume_writing(self) -> None:
        """The reader has taken what there was, or nearly."""
        super().resume_writing()
        if self._reader_timer is not None:
            self._reader_timer.cancel()
            self._reader_timer = None
        self._watch_the_last_bytes()

    def on_response_complete(self) -> None:
        """Be ready for the next request, or see the last bytes off."""
        super().on_response_complete()
        self._watch_the_last_bytes()

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection. What was not taken by now never will be."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        super().timeout_keep_alive_handler()

    def _watch_the_last_bytes(self) -> None:
        """A transport that is told to close waits for its reader, for ever."""
        if self.transport.is_closing() and self.transport.get_write_buffer_size():
            self._watch_the_reader()

    def _watch_the_reader(self) -> None:
        if self._reader_timer is None:
            self._reader_timer = self.loop.call_later(READER_TIMEOUT, self._give_up_the_reader)

    def _give_up_the_reader(self) -> None:
        log.info("a client did not take its answer", bytes=self.transport.get_write_buffer_size())
        self.transport.abort()

    # ------------------------------------------------------------ refusals
    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's words for it
        """Refuse what is no HTTP, or too much of it."""
        large = self._head_size > MAX_HEAD
        self._refuse(_too_large() if large else RequestError("This is not HTTP/1.1"), None if large else 400)

    def _refuse(self, error: RequestError, status: int | None = None) -> None:
        self._refused = True
        self._unset_keepalive_if_required()
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            if self.cycle.response_started or self.pipeline:  # ours would be taken for a part of that answer
                self.transport.abort()
                return
        response = problem_response(error)
        headers = [*self.server_state.default_headers, *response.raw_headers, (b"connection", b"close")]
        lines = b"".join(b"%b: %b\r\n" % header for header in headers)
        self.transport.write(STATUS_LINE[status or response.status_code] + lines + b"\r\n" + bytes(response.body))
        self.transport.write_eof()
        self.flow.resume_reading()
        self._linger_timer = self.loop.call_later(LINGER, self.transport.abort)

    def _expect_a_request(self) -> None:
        """Close the connection unless a request begins, when none is under way."""
        if self.timeout_keep_alive_task is None and (self.cycle is None or self.cycle.response_complete):
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )


def _too_large() -> HeadersTooLargeError:
    return HeadersTooLargeError(f"The request's headers are larger than {MAX_HEAD // 1024} KiB, the most that is taken")


def _too_slow() -> HeadersTimeoutError:
    return HeadersTimeoutError(f"The request's headers did not arrive within {HEAD_TIMEOUT:g} s")
