"""A picture's file reduced to what shows: its pixels, their colours and which way up it is. Nothing is encoded anew."""

import struct
from dataclasses import dataclass

MAX_PARTS = 20_000
"""Parts of one file. Encoders cut a PNG into pieces of 8 KB; more only keep a parser busy."""

MAX_PROFILE_BYTES = 4 * 1024 * 1024
"""The largest colour profile that is kept, unpacked. A printer's has 2 MB; a larger one is left out."""

MAX_EXIF_BYTES = 65_535
"""As many as one part of a JPEG holds."""

_ORIENTATION = 0x0112
_SHORT = 3


class StructureError(ValueError):
    """A file that is not taken. The message completes the sentence "the picture ..."."""


class CutOffError(StructureError):
    """The file ends before its picture does."""


@dataclass(frozen=True)
class PictureFile:
    """A JPEG or PNG without anything that does not show.

    Attributes:
        format: `JPEG` or `PNG`.
        data: the file; the very bytes that were given where nothing had to go.
        width: pixels as stored, before any turn.
        height: pixels as stored, before any turn.
        orientation: EXIF's word, 1 to 8; 1 where EXIF is silent, broken or says something else.
        ended: whether the file says where its picture ends. A JPEG that does not may hold all of it, or half.
    """

    format: str
    data: bytes
    width: int
    height: int
    orientation: int
    ended: bool

    @property
    def pixels(self) -> int:
        """How many there are."""
        return self.width * self.height


class Kept:
    """The parts of a file that stay, in their new order."""

    def __init__(self, data: bytes) -> None:
        """Keep nothing yet."""
        self._data = data
        self._pieces: list[tuple[int, int] | bytes] = []

    def keep(self, start: int, stop: int) -> None:
        """Keep what stands there."""
        last = self._pieces[-1] if self._pieces else b""
        if isinstance(last, tuple) and last[1] == start:
            self._pieces[-1] = (last[0], stop)
        else:
            self._pieces.append((start, stop))

    def keep_as(self, start: int, stop: int, wanted: bytes) -> None:
        """Put `wanted` in the place of what stands there; where it stands there already, keep it."""
        if self._data[start:stop] == wanted:
            self.keep(start, stop)
        else:
            self.add(wanted)

    def add(self, made: bytes) -> None:
        """Add what the file has not."""
        self._pieces.append(made)

    def follow(self, other: "Kept") -> None:
        """Let the other's parts come after these."""
        for piece in other._pieces:  # noqa: SLF001 - one of its own kind
            if isinstance(piece, tuple):
                self.keep(*piece)
            else:
                self.add(piece)

    def join(self) -> bytes:
        """Return the new file, or the given one where all of it stays as it is."""
        if self._pieces == [(0, len(self._data))]:
            return self._data
        view = memoryview(self._data)
        return b"".join(piece if isinstance(piece, bytes) else view[slice(*piece)] for piece in self._pieces)


def orientation_of(exif: bytes) -> int:
    """Read the orientation out of EXIF's TIFF block as browsers do: one short number in its first directory.

    Pillow's reader would also take XMP's word for it, and a PNG's texts, which browsers do not heed.
    """
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if order is None:
        return 1
    try:
        (directory,) = struct.unpack_from(f"{order}I", exif, 4)
        (entries,) = struct.unpack_from(f"{order}H", exif, directory)
        for entry in range(directory + 2, directory + 2 + 12 * entries, 12):
            tag, kind, count, value = struct.unpack_from(f"{order}HHIH", exif, entry)
            if tag == _ORIENTATION:
                return value if (kind, count) == (_SHORT, 1) and 1 <= value <= 8 else 1
    except struct.error:  # broken EXIF is no reason to refuse a photo: it is shown as stored
        pass
    return 1


def exif_of(orientation: int) -> bytes:
    """Return EXIF's TIFF block that says the orientation and nothing else."""
    entry = struct.pack(">HHIHH", _ORIENTATION, _SHORT, 1, orientation, 0)
    return b"MM\0*" + struct.pack(">IH", 8, 1) + entry + bytes(4)
