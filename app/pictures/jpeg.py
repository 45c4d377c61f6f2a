"""A JPEG's structure, gone through once: what of it is picture, colours and orientation, and whether it is bearable.

What costs is not always a picture's pixels. A JPEG of 200 KB can ask for its megapixels to be gone through a hundred
times, and a file of a million tiny parts keeps a parser busy for a minute. No camera and no program makes such files.
"""

import re
from dataclasses import InitVar, dataclass, field

from app.pictures.picture_file import (
    MAX_EXIF_BYTES,
    MAX_PARTS,
    MAX_PROFILE_BYTES,
    CutOffError,
    Kept,
    PictureFile,
    StructureError,
    exif_of,
    orientation_of,
)

MAGIC = b"\xff\xd8\xff"

MAX_SCANS = 50
"""Passes over a JPEG. Encoders make 10, the ones that search for the best some 20."""

MAX_TABLE_BYTES = 32 * 1024
"""All tables of a JPEG. Those of ten scans have some 10 KB, and Pillow goes through the first ones byte by byte."""

_START, _END, _SCAN, _COMMENT = 0xD8, 0xD9, 0xDA, 0xFE
_TABLES = {0xC4, 0xCC, 0xDB, 0xDC, 0xDD}
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_APPLICATIONS = range(0xE0, 0xF0)
_JFIF, _EXIF, _PROFILE, _ADOBE = 0xE0, 0xE1, 0xE2, 0xEE

_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")
"""What ends the data of a scan: inside of it 0xff stands before 0 or a restart alone. Fill bytes are passed over."""


@dataclass
class _Reading:
    """What one pass over the file has found so far."""

    data: InitVar[bytes]
    jfif: Kept = field(init=False)
    exif: Kept = field(init=False)
    adobe: Kept = field(init=False)
    picture: Kept = field(init=False)
    profile: list[tuple[int, int]] = field(default_factory=list)
    orientation: int | None = None
    size: tuple[int, int] | None = None
    components: bytes = b""
    scans: list[bytes] = field(default_factory=list)
    table_bytes: int = 0
    ended: bool = False

    def __post_init__(self, data: bytes) -> None:
        self.jfif, self.exif, self.adobe, self.picture = (Kept(data) for _ in range(4))


def strip_jpeg(data: bytes) -> PictureFile:
    """Keep a JPEG's picture, colour profile, orientation and what says how its colours are stored.

    Behind the end marker phones append previews, depth maps, videos and their own notes: nothing of that stays. Some
    leave the end marker out. Then the picture ends where its data cease to be such, at the latest.

    Raises:
        CutOffError: parts of the picture are missing for sure.
        StructureError: it has no picture, or is more intricate than any camera or program makes it.
    """
    found = _read(data)
    if found.size is None or not found.scans:
        raise CutOffError("has no picture in it")
    if not found.ended and not _whole(found):
        raise CutOffError("is cut off")
    kept = Kept(data)
    kept.keep(0, 2)
    for part in (found.jfif, found.exif):
        kept.follow(part)
    if sum(stop - start for start, stop in found.profile) <= MAX_PROFILE_BYTES:
        for start, stop in found.profile:
            kept.keep(start, stop)
    for part in (found.adobe, found.picture):
        kept.follow(part)
    return PictureFile("JPEG", kept.join(), *found.size, found.orientation or 1, found.ended)


def _read(data: bytes) -> _Reading:
    found = _Reading(data)
    at, scanning = 2, False
    for _ in range(MAX_PARTS):
        marker = _MARKER.search(data, at)
        if scanning:
            found.picture.keep(at, marker.start() if marker else _last(data, at))
        if marker is None:
            return found
        start, kind = marker.start(), data[marker.start() + 1]
        if kind == _END:
            if found.scans:
                found.picture.keep(start, start + 2)
                found.ended = True
            return found
        bare = kind not in _TABLES | _FRAMES | {_SCAN, _COMMENT} and kind not in _APPLICATIONS
        stop = start + 2 if bare else start + 2 + int.from_bytes(data[start + 2 : start + 4])
        if found.scans and (bare or kind in _FRAMES or stop > len(data)):
            return found  # nothing that belongs to a picture: it has ended before
        if stop > len(data):
            raise CutOffError("is cut off")
        scanning = kind == _SCAN
        if not bare:
            _take(data, found, kind, start, stop)
        at = max(stop, start + 2)
    raise StructureError(f"has more than {MAX_PARTS} parts")


def _last(data: bytes, at: int) -> int:
    """Return where a scan's data end that nothing ends: half of a marker is none of it."""
    stop = len(data)
    while stop > at and data[stop - 1] == 0xFF:
        stop -= 1
    return stop


def _take(data: bytes, found: _Reading, kind: int, start: int, stop: int) -> None:
    """Keep a part, its marker and length included, if it is picture, colours or orientation."""
    if kind == _COMMENT or kind in _APPLICATIONS:
        if not found.scans:
            _take_application(data, found, kind, start, stop)
        return
    found.picture.keep(start, stop)
    if kind == _SCAN:
        found.scans.append(data[start + 4 : stop])
        if len(found.scans) > MAX_SCANS:
            raise StructureError(f"has more than {MAX_SCANS} scans")
        return
    found.table_bytes += stop - start
    if found.table_bytes > MAX_TABLE_BYTES:
        raise StructureError(f"has more than {MAX_TABLE_BYTES // 1024} KB of tables")
    if kind in _FRAMES and found.size is None:
        height, width = (int.from_bytes(data[place : place + 2]) for place in (start + 5, start + 7))
        found.size, found.components = (width, height), data[start + 10 : stop : 3]


def _take_application(data: bytes, found: _Reading, kind: int, start: int, stop: int) -> None:
    body = start + 4
    if kind == _JFIF and data.startswith(b"JFIF\0", body) and stop - start >= 18:
        found.jfif.keep_as(start, stop, b"\xff\xe0\0\x10" + data[body : body + 12] + bytes(2))  # without its thumbnail
    elif kind == _EXIF and data.startswith(b"Exif\0", body) and found.orientation is None:
        found.orientation = orientation_of(data[body + 6 : min(stop, body + 6 + MAX_EXIF_BYTES)])
        if found.orientation > 1:
            said = b"Exif\0\0" + exif_of(found.orientation)
            found.exif.keep_as(start, stop, b"\xff\xe1" + (len(said) + 2).to_bytes(2) + said)
    elif kind == _PROFILE and data.startswith(b"ICC_PROFILE\0", body):
        found.profile.append((start, stop))
    elif kind == _ADOBE and data.startswith(b"Adobe", body) and stop - start >= 16:
        found.adobe.keep_as(start, stop, b"\xff\xee\0\x0e" + data[body : body + 12])


def _whole(found: _Reading) -> bool:
    """Say whether the scans that are there hold every coefficient of every component to its last bit."""
    left = {component: set(range(64)) for component in found.components}
    for scan in found.scans:
        if len(scan) < 6 or len(scan) < 4 + 2 * scan[0]:
            return False
        first, last, bits = scan[1 + 2 * scan[0] : 4 + 2 * scan[0]]
        for component in scan[1 : 1 + 2 * scan[0] : 2]:
            if bits & 15 == 0:
                left.get(component, set()).difference_update(range(first, last + 1))
    return not any(left.values())
