"""What a JSON body says, in a few words: enough to see that it is the right one, too little to keep a picture."""

import hashlib
import json
from typing import Any

from starlette.types import Message, Receive, Scope, Send

DIGITS = 9
LONGEST_TEXT = 200
"""Characters of a string that is kept as it is."""


def digest(value: Any) -> Any:
    """Return a value with each list as its number of items and a hash, each long string as its length and a hash."""
    if isinstance(value, dict):
        return {name: digest(part) for name, part in value.items()}
    if isinstance(value, list):
        return {"items": len(value), "hash": _hash(json.dumps(_plain(value), sort_keys=True))}
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        return {"chars": len(value), "hash": _hash(value)}
    return value


def _plain(value: Any) -> Any:
    """Return the value with every number rounded: 12 and 12.0 are one, and parsers of JSON differ in the last bit."""
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return value if isinstance(value, bool) or not isinstance(value, int | float) else round(float(value), DIGITS)


def _hash(text: str) -> str:
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=8).hexdigest()


class Listener:
    """Listens to one call on its way through: `sent` and `answered` are the digests of its two bodies.

    A body that is no JSON object, and one that nobody read or that ended early, has none.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._asked = _Body(_is_json(scope["headers"]))
        self._given = _Body(wanted=False)

    @property
    def sent(self) -> dict[str, Any] | None:
        """What the caller sent."""
        return self._asked.digest

    @property
    def answered(self) -> dict[str, Any] | None:
        """What the caller was answered."""
        return self._given.digest

    async def receive(self) -> Message:
        """Hand on what the caller sends."""
        message = await self._receive()
        if message["type"] == "http.request":
            self._asked.take(message)
        return message

    async def send(self, message: Message) -> None:
        """Hand on what is answered."""
        if message["type"] == "http.response.start":
            self._given = _Body(_is_json(message.get("headers", ())))
        else:
            self._given.take(message)
        await self._send(message)


class _Body:
    def __init__(self, wanted: bool) -> None:
        self._wanted = wanted
        self._pieces: list[bytes] = []
        self.digest: dict[str, Any] | None = None

    def take(self, message: Message) -> None:
        if not self._wanted:
            return
        self._pieces.append(message.get("body", b""))
        if message.get("more_body"):
            return
        try:
            value = json.loads(b"".join(self._pieces))
        except ValueError:
            value = None
        self.digest = digest(value) if isinstance(value, dict) else None
        self._pieces.clear()


def _is_json(headers: Any) -> bool:
    return any(name.lower() == b"content-type" and value.startswith(b"application/json") for name, value in headers)
