"""What a file may say beside its picture, in every way in which cameras and programs do: the same words in each."""

from struct import pack
from zlib import compress, crc32

NOTE = b"17 Hidden Lane, the back door."
"""What somebody who posts a photo of themselves does not want to be kept. In a thumbnail three bytes are a pixel."""

SOI, END_JPEG, END_PNG = 2, 2, 12
"""Bytes of a JPEG's beginning, of its end marker, and of a PNG's last chunk."""
PNG_HEAD = 33
"""Bytes of a PNG's signature and first chunk."""
APP0, COMMENT, SCAN = b"\xe0", b"\xfe", b"\xff\xda"
BEHIND = b"\0\0\0\x18ftypmp42" + NOTE
"""A video behind the picture, as phones append it."""


def exif(orientation: int) -> bytes:
    """Return EXIF as it stands in a JPEG: a description, the orientation, a thumbnail, and something behind it all."""
    entries, end = 3, 8 + 2 + 3 * 12 + 4
    text = pack(">HHII", 0x010E, 2, len(NOTE), end)
    turned = pack(">HHIHH", 0x0112, 3, 1, orientation, 0)
    gps = pack(">HHII", 0x8825, 4, 1, end + len(NOTE))
    where = pack(">H", 1) + pack(">HHII", 0x001B, 7, len(NOTE), end + len(NOTE) + 18) + bytes(4)
    return b"Exif\0\0MM\0*" + pack(">IH", 8, entries) + text + turned + gps + bytes(4) + NOTE + where + NOTE + NOTE


def on_a_jpeg(data: bytes, orientation: int) -> bytes:
    """Return a JPEG with the note in each kind of part that holds none of its pixels, and behind its end."""
    rest = _without(data[SOI:], APP0)
    rows = len(NOTE) // 3
    parts = (
        (APP0, b"JFIF\0\1\2\0\0\1\0\1" + bytes([rows, 1]) + NOTE[: 3 * rows]),
        (APP0, b"JFXX\0\x10" + NOTE),
        (b"\xe1", exif(orientation)),
        (b"\xe1", b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>" + NOTE),
        (b"\xe2", b"MPF\0" + NOTE),
        (b"\xe3", b"META\0" + NOTE),
        (b"\xeb", b"JP\0\1" + NOTE),
        (b"\xed", b"Photoshop 3.0\x008BIM\4\4\0\0" + pack(">I", len(NOTE)) + NOTE),
        (b"\xef", NOTE),
        (COMMENT, NOTE),
    )
    whole = data[:SOI] + b"".join(_segment(kind, body) for kind, body in parts) + rest
    last = whole.rindex(SCAN)
    return whole[:last] + _segment(COMMENT, NOTE) + whole[last:] + BEHIND


def on_a_png(data: bytes, orientation: int) -> bytes:
    """Return a PNG with the note in each kind of part that holds none of its pixels, before and behind them."""
    said = (
        (b"eXIf", exif(orientation)[6:]),
        (b"tEXt", b"Comment\0" + NOTE),
        (b"zTXt", NOTE + b"\0\0" + compress(NOTE)),
        (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + NOTE),
        (b"noTe", NOTE),
    )
    before = b"".join(_chunk(kind, body) for kind, body in said)
    behind = b"".join(_chunk(kind, body) for kind, body in said[1:])
    return data[:PNG_HEAD] + before + data[PNG_HEAD:-END_PNG] + behind + data[-END_PNG:] + BEHIND


def _segment(kind: bytes, body: bytes) -> bytes:
    return b"\xff" + kind + (len(body) + 2).to_bytes(2) + body


def _chunk(kind: bytes, body: bytes) -> bytes:
    return len(body).to_bytes(4) + kind + body + crc32(kind + body).to_bytes(4)


def _without(parts: bytes, kind: bytes) -> bytes:
    """Return a JPEG's parts without the first, where that is of a kind."""
    return parts[2 + int.from_bytes(parts[2:4]) :] if parts[1:2] == kind else parts
