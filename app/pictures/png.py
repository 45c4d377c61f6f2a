"""A PNG's structure, gone through once: what of it is picture, colours and orientation, and whether it is bearable."""

import zlib
from collections.abc import Container

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

MAGIC = b"\x89PNG\r\n\x1a\n"

_HEADER, _PALETTE, _TRANSPARENT, _DATA, _EXIF, _END = b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"eXIf", b"IEND"
_HEADER_STOP = len(MAGIC) + 25
_PALETTE_COLOUR = 3
_COLOUR = len(MAGIC) + 17
"""Where the header says its type of colour."""
_PROFILE, _LIGHT = b"iCCP", b"cICP"
_COLOURS = {_LIGHT: 4, _PROFILE: None, b"sRGB": 1, b"gAMA": 4, b"cHRM": 32}
"""What says how colours are meant, and how long it has to be."""

_TRANSPARENT_BYTES = {0: range(2, 3), 2: range(6, 7), _PALETTE_COLOUR: range(1, 257)}
"""How long a tRNS is by the header's type of colour; the other types have alpha."""


def strip_png(data: bytes) -> PictureFile:
    """Keep a PNG's picture, transparency, colours and orientation; of an animation its still picture.

    A part beside the picture that is broken, out of place, or that comes twice is left out as browsers leave it out.

    Raises:
        CutOffError: parts of the picture are missing for sure.
        StructureError: it is broken where no browser would show it, or is more intricate than any program makes it.
    """
    beside, picture, ended = _read(data)
    if _HEADER not in beside:
        raise StructureError("is a PNG without a header")
    header = data[len(MAGIC) + 8 : _HEADER_STOP - 4]
    width, height, colour = int.from_bytes(header[:4]), int.from_bytes(header[4:8]), data[_COLOUR]
    if _DATA not in beside:
        raise CutOffError("has no picture in it")
    if colour == _PALETTE_COLOUR and _PALETTE not in beside:
        raise StructureError("has no palette")
    kept = Kept(data)
    kept.keep(0, _HEADER_STOP)
    for kind in (*_COLOURS, _PALETTE):
        if kind in beside:
            kept.keep(*beside[kind])
    if (clear := beside.get(_TRANSPARENT)) and clear[1] - clear[0] - 12 in _TRANSPARENT_BYTES.get(colour, ()):
        kept.keep(*clear)
    orientation = 1
    if said := beside.get(_EXIF):
        orientation = orientation_of(data[said[0] + 8 : said[1] - 4])
        if orientation > 1:
            kept.keep_as(*said, _chunk(_EXIF, exif_of(orientation)))
    kept.follow(picture)
    if not ended:
        kept.add(_chunk(_END, b""))
    return PictureFile("PNG", kept.join(), width, height, orientation, ended=True)


def _read(data: bytes) -> tuple[dict[bytes, tuple[int, int]], Kept, bool]:
    """Return where each kind of part stands first, the picture's own parts, and whether the file says its end."""
    beside: dict[bytes, tuple[int, int]] = {}
    picture = Kept(data)
    at = len(MAGIC)
    for _ in range(MAX_PARTS):
        kind = data[at + 4 : at + 8]
        stop = at + 12 + int.from_bytes(data[at : at + 4])
        if stop > len(data):
            if kind == _DATA or _DATA not in beside:
                raise CutOffError("is cut off")
            return beside, picture, False
        if kind == _END:
            picture.keep(at, stop)
            return beside, picture, True
        if kind == _DATA:
            picture.keep(at, stop)
            beside[_DATA] = (at, stop)
        elif kind not in beside and not _out_of_place(data, kind, beside) and _taken(data, kind, at, stop):
            beside[kind] = (at, stop)
        at = stop
    raise StructureError(f"has more than {MAX_PARTS} parts")


def _out_of_place(data: bytes, kind: bytes, beside: Container[bytes]) -> bool:
    """Say whether browsers (as Chromium) leave out a part for where it stands: behind the pixels, or by a palette."""
    if kind == _TRANSPARENT and _HEADER in beside and data[_COLOUR] == _PALETTE_COLOUR and _PALETTE not in beside:
        return True
    return _DATA in beside or (kind == _LIGHT and _PALETTE in beside)


def _taken(data: bytes, kind: bytes, at: int, stop: int) -> bool:
    """Say whether a part is one to keep and not broken. Of the two without which there is no picture, broken is final.

    Raises:
        StructureError: the header or the palette is broken.
    """
    critical = kind in {_HEADER, _PALETTE}
    if not critical and kind not in _COLOURS and kind not in {_TRANSPARENT, _EXIF}:
        return False
    sound = zlib.crc32(memoryview(data)[at + 4 : stop - 4]) == int.from_bytes(data[stop - 4 : stop])
    length = stop - at - 12
    if kind == _HEADER:
        sound = sound and at == len(MAGIC) and length == 13
    elif kind == _PALETTE:
        sound = sound and 0 < length <= 768 and length % 3 == 0
    elif kind == _EXIF:
        sound = sound and length <= MAX_EXIF_BYTES
    elif kind == _PROFILE:
        sound = sound and _unpacks(data[at + 8 : stop - 4])
    elif kind in _COLOURS:
        sound = sound and length == _COLOURS[kind]
    if critical and not sound:
        raise StructureError(f"is a PNG whose {kind.decode()} is broken")
    return sound


def _unpacks(body: bytes) -> bool:
    """Say whether a profile is packed as it must be, and is no larger than a profile is."""
    name, _, packed = body.partition(b"\0")
    if len(name) > 79 or packed[:1] != b"\0":
        return False
    unpacking = zlib.decompressobj()
    try:
        unpacking.decompress(packed[1:], MAX_PROFILE_BYTES)
    except zlib.error:
        return False
    return unpacking.eof


def _chunk(kind: bytes, body: bytes) -> bytes:
    return len(body).to_bytes(4) + kind + body + zlib.crc32(kind + body).to_bytes(4)
