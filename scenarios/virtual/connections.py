"""What a story waits for on a connection, for libraries that nobody wraps.

Some read only while a task waits for data, as anyio and so httpx do: they pause the connection as soon as it is there.
That is exact. Others read all the time, as asyncio's streams and aiohttp do: from a write to the first data after it,
and then until nothing came for `SILENCE_S`. What is too large to be sent at once is waited for until it is sent.
"""

from typing import Any

from .internals import WatchedConnection
from .story import Story, current

SILENCE_S = 0.05
"""Wall seconds without data after which an answer counts as whole, on a connection that reads all the time."""


class CountedConnection(WatchedConnection):
    """The connections of a `VirtualLoop`."""

    _exact = False
    _waiting: tuple[Story, ...] = ()
    _sending: tuple[Story, ...] = ()

    def write(self, data: Any) -> None:
        """Send; an answer is expected."""
        story = current.get()
        if story and not self._exact:
            self._expect(story)
        super().write(data)
        if story and self.get_write_buffer_size():
            story.connections[self, "sending"] = f"{self._peer()} to take what is sent"
            self._sending = (*self._sending, story)

    def resume_reading(self) -> None:
        """A task waits for data."""
        story = current.get()
        if story and self._exact:
            self._expect(story)
        super().resume_reading()

    def pause_reading(self) -> None:
        """No task waits for data."""
        self._exact = self._exact or not self._waiting
        if self._exact:
            self._answered()
        super().pause_reading()

    def data_comes(self) -> None:
        """On a connection that reads all the time, an answer has begun."""
        for story in self._waiting:
            story.beat()
            if not self._exact:
                story.connections.pop(self, None)
            if not self._exact and not story.io:  # else somebody counts, and knows better
                story.settled_at = story.loop.real_time() + SILENCE_S

    def sent(self) -> None:
        """All is sent, or something of it."""
        for story in self._sending:
            story.beat()
            if not self.get_write_buffer_size():
                story.connections.pop((self, "sending"), None)
        if not self.get_write_buffer_size():
            self._sending = ()

    def is_lost(self) -> None:
        """Nothing comes any more, and nothing is sent."""
        self._answered()
        for story in self._sending:
            story.connections.pop((self, "sending"), None)
        self._sending = ()

    def _expect(self, story: Story) -> None:
        story.connections[self] = f"an answer of {self._peer()}"
        others = [each for each in self._waiting if each is not story and self in each.connections]
        self._waiting = (*others, story)

    def _answered(self) -> None:
        for story in self._waiting:
            story.connections.pop(self, None)
            story.beat()
        self._waiting = ()

    def _peer(self) -> str:
        peer = self.get_extra_info("peername")
        return f"{peer[0]}:{peer[1]}" if isinstance(peer, tuple) and len(peer) > 1 else str(peer or "a peer")
