"""How intricate a picture file may be, seen before Pillow parses any of it: what costs is not always its pixels.

A JPEG of 200 KB can ask for its megapixels to be gone through a hundred times, and a file of a million tiny parts keeps
Pillow's parsers busy for a minute. No camera and no program makes such files.
"""

import re

from PIL import PngImagePlugin

MAX_SCANS = 50
"""Passes over a JPEG. Encoders make 10, the ones that search for the best some 20."""

MAX_PARTS = 200
"""Parts of a JPEG before its picture, or of a PNG beside it. A depth map takes dozens of 64 KB."""

MAX_PIECES = 20_000
"""Parts of a PNG altogether. Encoders cut the picture into pieces of 8 KB."""

MAX_TABLE_BYTES = 4096
"""One table of a JPEG. The largest legal one has 2 KB, and Pillow goes through them byte by byte."""

MAX_JUNK_BYTES = 1024
"""Between two parts of a JPEG, where nothing belongs."""

PngImagePlugin.MAX_TEXT_MEMORY = 8 * 1024 * 1024
"""Bytes of all texts in a PNG, unpacked. Pillow's own limit is 64 MB."""

_JPEG = b"\xff\xd8\xff"
_PNG = b"\x89PNG\r\n\x1a\n"
_SCAN, _END = 0xDA, 0xD9
_PROGRESSIVE = {0xC2, 0xC6, 0xCA, 0xCE}
_TABLES = {0xC4, 0xCC, 0xDB}
_FRAMES = {*range(0xC0, 0xD0), 0xDE} - _TABLES - {0xC8}
_BARE = {0, 1, 0xC8, *range(0xD0, 0xDA), *range(0xF0, 0xFE)}
"""What stands without a length, or is taken so by Pillow; decoders refuse the latter."""

_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")
"""What ends the data of a scan: inside of it 0xff stands before 0 or a restart alone."""


def excess(data: bytes) -> str | None:
    """Say what a JPEG or PNG file has too much of, as in "more than 50 scans"; None for a bearable or another file."""
    if data.startswith(_JPEG):
        return _jpeg_excess(data)
    if data.startswith(_PNG):
        return _png_excess(data)
    return None


def _jpeg_excess(data: bytes) -> str | None:
    """Go through a JPEG as Pillow does, to its first scan. Where it is broken, Pillow will say so."""
    at = 2
    components = -1
    progressive = False
    for _ in range(MAX_PARTS):
        marker = data.find(b"\xff", at)
        if marker < 0 or marker + 10 > len(data):
            return None
        if marker - at > MAX_JUNK_BYTES:
            return f"{marker - at} bytes between its parts"
        at, kind = marker, data[marker + 1]
        if kind == 0xFF:
            at += 1
            continue
        if kind in _BARE:
            at += 2
            continue
        length = int.from_bytes(data[at + 2 : at + 4])
        if kind == _SCAN:
            # After one scan of all components a decoder refuses a second one.
            single = not progressive and data[at + 4] == components
            return None if single else _scan_excess(data, at)
        if kind in _TABLES | _FRAMES and length > MAX_TABLE_BYTES:
            return f"a table of {length} bytes"
        if kind in _FRAMES:
            components, progressive = data[at + 9], kind in _PROGRESSIVE
        at += 2 + max(length, 2)
    return f"more than {MAX_PARTS} parts before its picture"


def _scan_excess(data: bytes, first: int) -> str | None:
    """Count the scans of a JPEG from its first one to its end; what is appended behind that is not its own."""
    too_many = f"more than {MAX_SCANS} scans"
    if data.count(b"\xff\xda", first) <= MAX_SCANS:
        return None
    at, scans = first, 0
    for _ in range(10 * MAX_SCANS):  # each scan may have a few tables before it
        marker = _MARKER.search(data, at)
        if marker is None or data[marker.start() + 1] == _END:
            return None
        scans += data[marker.start() + 1] == _SCAN
        if scans > MAX_SCANS:
            return too_many
        at = marker.end() + int.from_bytes(data[marker.end() : marker.end() + 2])
    return too_many


def _png_excess(data: bytes) -> str | None:
    """Go through all parts of a PNG. Where it is broken, Pillow will say so."""
    at = len(_PNG)
    beside = profiles = 0
    for _ in range(MAX_PIECES):
        kind = data[at + 4 : at + 8]
        if len(kind) < 4 or kind == b"IEND":
            return None
        if kind not in {b"IDAT", b"fdAT", b"fcTL"}:
            beside += 1
            profiles += kind == b"iCCP"  # each is unpacked, to a megabyte at most
        if beside > MAX_PARTS or profiles > 1:
            return "several colour profiles" if profiles > 1 else f"more than {MAX_PARTS} parts beside its picture"
        at += 12 + int.from_bytes(data[at : at + 4])
    return f"more than {MAX_PIECES} parts"
