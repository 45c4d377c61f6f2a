"""What a JSON body says, in a few words: enough to see that it is the right one, too little to keep a picture."""

import hashlib
import json
import math
from typing import Any

DIGITS = 9
LONGEST_TEXT = 200
"""Characters of a string that is kept as it is."""
SMALL = 1_000
"""Bytes of a body that is kept itself: it takes less room than its digest, and most are never asked for."""

Kept = bytes | dict[str, Any] | None
"""What the ledger keeps of a JSON body: a small one itself, the digest of a large one, None of anything else."""


def kept(body: bytes) -> Kept:
    """Return what is kept of a body."""
    return body if len(body) <= SMALL else _read(body)


def told(kept: Kept) -> dict[str, Any] | None:
    """Return the digest of a body that was a JSON object, None of any other."""
    return _read(kept) if isinstance(kept, bytes) else kept


def _read(body: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return digest(value) if isinstance(value, dict) else None


def digest(value: Any) -> Any:
    """Return a value with each list as its number of items and a hash, each long string as its length and a hash."""
    if isinstance(value, dict):
        return {name: digest(part) for name, part in value.items()}
    if isinstance(value, list):
        return {"items": len(value), "hash": _hash(json.dumps(_plain(value), sort_keys=True))}
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        return {"chars": len(value), "hash": _hash(value)}
    # Python writes NaN and Infinity, which are no JSON: nobody could be told the ledger.
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _plain(value: Any) -> Any:
    """Return the value with every number rounded: 12 and 12.0 are one, and parsers of JSON differ in the last bit."""
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return value if isinstance(value, bool) or not isinstance(value, int | float) else round(float(value), DIGITS)


def _hash(text: str) -> str:
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=8).hexdigest()
