"""Colour profiles (ICC), made here: of a screen, of grey, and of a press."""

import struct
from collections.abc import Mapping
from itertools import product

Primaries = tuple[tuple[float, float, float], ...]

SRGB_PRIMARIES: Primaries = ((0.4360, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141))
P3_PRIMARIES: Primaries = ((0.5151, 0.2412, -0.0011), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841))
ADOBE_PRIMARIES: Primaries = ((0.6097, 0.3111, 0.0195), (0.2053, 0.6257, 0.0609), (0.1492, 0.0632, 0.7446))
"""Of red, green and blue, in XYZ as profiles hold them (for D50)."""
WHITE = (0.9642, 1.0, 0.8249)
"""D50, in XYZ."""


def icc(space: bytes, connection: bytes, tags: Mapping[bytes, bytes], padding: int = 0) -> bytes:
    """Return a profile from a colour space to another, with these tags and so many bytes that mean nothing."""
    table, bodies, at = b"", b"", 128 + 4 + 12 * (len(tags) + bool(padding))
    for name, body in {**tags, **({b"junk": b"data" + bytes(padding)} if padding else {})}.items():
        table += name + struct.pack(">II", at + len(bodies), len(body))
        bodies += body + bytes(-len(body) % 4)
    count = struct.pack(">I", len(tags) + bool(padding))
    size = struct.pack(">I", at + len(bodies))
    kind = b"prtr" if space == b"CMYK" else b"mntr"
    d50 = struct.pack(">3i", 63190, 65536, 54061)
    head = size + b"none\x02\x40\0\0" + kind + space + connection + bytes(12) + b"acsp" + bytes(28) + d50 + bytes(48)
    return head[:128] + count + table + bodies


def _xyz(values: tuple[float, float, float]) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in values))


def _gamma(value: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IHH", 1, round(value * 256), 0)


def rgb_profile(primaries: Primaries = P3_PRIMARIES, gamma: float = 2.2, *, padding: int = 0) -> bytes:
    """Return a profile of a screen, as large as wanted."""
    tags = {name: _xyz(primary) for name, primary in zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries, strict=True)}
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), _gamma(gamma)) | {b"wtpt": _xyz(WHITE)}
    return icc(b"RGB ", b"XYZ ", tags, padding)


def grey_profile(gamma: float) -> bytes:
    """Return a profile of grey."""
    return icc(b"GRAY", b"XYZ ", {b"kTRC": _gamma(gamma), b"wtpt": _xyz(WHITE)})


def press_profile(lab: bytes, points: int) -> bytes:
    """Return a profile of a press: L, a and b of each mix of its inks, in so many steps of each, the last the fastest.

    A byte each: L of 100 is 255, a and b of 0 are 128.
    """
    straight = bytes(range(256))
    identity = b"".join(struct.pack(">i", 65536 * (row == column)) for row in range(3) for column in range(3))
    lut = b"mft1\0\0\0\0" + bytes([4, 3, points, 0]) + identity + straight * 4 + lab + straight * 3
    return icc(b"CMYK", b"Lab ", {b"A2B0": lut, b"wtpt": _xyz(WHITE)})


def light(encoded: float) -> float:
    """Return the light that a number of sRGB stands for, both of 0 to 1."""
    return encoded / 12.92 if encoded <= 0.04045 else ((encoded + 0.055) / 1.055) ** 2.4


def _lab(rgb: tuple[float, float, float]) -> bytes:
    """Return a colour of sRGB in three bytes of a press's profile."""
    lights = [light(value) for value in rgb]
    xyz = [
        sum(part * by for part, by in zip(column, lights, strict=True)) for column in zip(*SRGB_PRIMARIES, strict=True)
    ]
    x, y, z = (_cube_root(value / white) for value, white in zip(xyz, WHITE, strict=True))
    told = ((116 * y - 16) * 255 / 100, 128 + 500 * (x - y), 128 + 200 * (y - z))
    return bytes(min(255, max(0, round(value))) for value in told)


def _cube_root(value: float) -> float:
    return value ** (1 / 3) if value > 0.008856 else 7.787 * value + 16 / 116


STEPS = 7


def _inks_in_another_order() -> bytes:
    mixes = product([step / (STEPS - 1) for step in range(STEPS)], repeat=4)
    papers = ((1 - cyan, 1 - magenta, 1 - yellow, 1 - black) for magenta, yellow, cyan, black in mixes)
    return press_profile(b"".join(_lab((r * k, g * k, b * k)) for r, g, b, k in papers), STEPS)


WIDE = rgb_profile()
"""A screen that shows more than sRGB's does."""
GREY_IS_LIGHT = grey_profile(1.0)
"""Of grey whose numbers are light itself."""
INKS_IN_ANOTHER_ORDER = _inks_in_another_order()
"""A press whose first ink is magenta, whose second is yellow and whose third is cyan; each takes its own light away."""
