"""What a PNG says of its colours without a profile, as the profile that says the same: cICP, or gAMA and cHRM."""

import math
import struct
from collections.abc import Callable, Sequence

from PIL import Image

from app.pictures.png import MAGIC

_SRGB = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
"""The white point and the primaries of red, green and blue, each as x and y."""
_PRIMARIES = {
    1: _SRGB,
    9: (0.3127, 0.329, 0.708, 0.292, 0.17, 0.797, 0.131, 0.046),
    12: (0.3127, 0.329, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06),
}
"""By ITU-T H.273: BT.709, BT.2020, and P3 with the white of daylight."""
_SRGB_CURVE = (3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
_BT_709_CURVE = (3, 1 / 0.45, 1 / 1.099, 0.099 / 1.099, 1 / 4.5, 0.081)
_CURVES: dict[int, tuple[float, ...]] = {
    **dict.fromkeys((1, 6, 14, 15), _BT_709_CURVE),
    4: (0, 2.2),
    5: (0, 2.8),
    8: (0, 1.0),
    13: _SRGB_CURVE,
}
"""By ITU-T H.273, as ICC's parametric curves: the type and its parameters."""
_WHITE_NITS = 203
"""What BT.2408 holds for white on paper. What shines brighter than that has no place in sRGB, and is white."""


def _pq(signal: float) -> float:
    """Return the light of a signal of BT.2100's PQ, as a share of white."""
    root = math.pow(signal, 1 / 78.84375)
    share = max(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)
    return 10_000 / _WHITE_NITS * math.pow(share, 1 / 0.1593017578125)


def _hlg(signal: float) -> float:
    """Return the light of a signal of BT.2100's HLG on a screen of 1,000 nits, as a share of white."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = signal**2 / 3 if signal <= 1 / 2 else (math.exp((signal - c) / a) + b) / 12
    return 1_000 / _WHITE_NITS * math.pow(scene, 1.2)


_HDR: dict[int, Callable[[float], float]] = {16: _pq, 18: _hlg}
_D50 = (0.9642, 1.0, 0.8249)
_BRADFORD = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))

_Vector = Sequence[float]
_Matrix = Sequence[Sequence[float]]


def cicp_profile(data: bytes) -> bytes | None:
    """Return the profile that a cICP means, which wins over any other word; None without one that is known."""
    at, kind = len(MAGIC), b""
    while kind not in {b"cICP", b"IDAT", b"IEND"} and at + 8 <= len(data):
        length, kind = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        at += 12 + length
    if kind != b"cICP":
        return None
    primaries, transfer, matrix, full = data[at - 8 : at - 4]
    if primaries not in _PRIMARIES or transfer not in _CURVES | _HDR or matrix != 0 or full not in {0, 1}:
        return None
    if full and transfer in _CURVES:
        return _icc(_PRIMARIES[primaries], _parametric(_CURVES[transfer]))
    light = _HDR.get(transfer) or (lambda signal: _light(_CURVES[transfer], signal))
    return _icc(_PRIMARIES[primaries], lambda: _sampled(light, full=bool(full)))


def gamma_profile(image: Image.Image) -> bytes | None:
    """Return the profile that gAMA and cHRM mean, where no sRGB wins over them; what is left unsaid is as in sRGB."""
    gamma, points = image.info.get("gamma"), image.info.get("chromaticity")
    if "srgb" in image.info or not (gamma or points):
        return None
    return _icc(points or _SRGB, _parametric((0, 1 / gamma) if gamma else _SRGB_CURVE))


def _parametric(curve: Sequence[float]) -> Callable[[], bytes]:
    return lambda: b"para\0\0\0\0" + struct.pack(f">HH{len(curve) - 1}i", int(curve[0]), 0, *map(_fixed, curve[1:]))


def _light(curve: Sequence[float], signal: float) -> float:
    """Return the light of a signal by a parametric curve."""
    kind, gamma, *rest = curve
    if not kind:
        return math.pow(signal, gamma)
    a, b, c, d = rest
    return math.pow(a * signal + b, gamma) if signal >= d else c * signal


def _sampled(light: Callable[[float], float], *, full: bool) -> bytes:
    """Return a curve as a table; in a video's limited range black is 16 and white 235 of 255."""
    signals = (number / 4095 if full else (number / 4095 * 255 - 16) / 219 for number in range(4096))
    values = (round(65535 * min(light(min(max(signal, 0.0), 1.0)), 1.0)) for signal in signals)
    return b"curv\0\0\0\0" + struct.pack(">I4096H", 4096, *values)


def _icc(points: _Vector, curve: Callable[[], bytes]) -> bytes | None:
    """Return a profile of a screen; None for points that no screen has."""
    try:
        columns, shape = _columns(points), curve()
        tags = {name: _xyz(xyz) for name, xyz in zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns, strict=True)}
    except (ZeroDivisionError, struct.error):
        return None
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), shape) | {b"wtpt": _xyz(_D50)}
    table, bodies, begin = b"", b"", 128 + 4 + 12 * len(tags)
    for name, body in tags.items():
        table += name + struct.pack(">II", begin + len(bodies), len(body))
        bodies += body + bytes(-len(body) % 4)
    white = struct.pack(">3i", *map(_fixed, _D50))
    head = b"none\x04\x20\0\0mntrRGB XYZ " + bytes(12) + b"acsp" + bytes(28) + white + bytes(48)
    whole = head + struct.pack(">I", len(tags)) + table + bodies
    return struct.pack(">I", len(whole) + 4) + whole


def _columns(points: _Vector) -> list[_Vector]:
    """Return red, green and blue in XYZ, seen under ICC's light (D50) by Bradford's way."""
    white, *primaries = [(x / y, 1.0, (1 - x - y) / y) for x, y in zip(points[::2], points[1::2], strict=True)]
    scales = _times(_inverse(_transposed(primaries)), white)
    seen, wanted = _times(_BRADFORD, white), _times(_BRADFORD, _D50)
    back = _inverse(_BRADFORD)
    columns = []
    for primary, scale in zip(primaries, scales, strict=True):
        cones = _times(_BRADFORD, [value * scale for value in primary])
        columns.append(_times(back, [cone * to / of for cone, to, of in zip(cones, wanted, seen, strict=True)]))
    return columns


def _times(matrix: _Matrix, vector: _Vector) -> _Vector:
    return [sum(one * other for one, other in zip(row, vector, strict=True)) for row in matrix]


def _transposed(matrix: _Matrix) -> _Matrix:
    return list(zip(*matrix, strict=True))


def _inverse(matrix: _Matrix) -> _Matrix:
    (a, b, c), (d, e, f), (g, h, i) = matrix
    whole = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
    rows = (
        (e * i - f * h, c * h - b * i, b * f - c * e),
        (f * g - d * i, a * i - c * g, c * d - a * f),
        (d * h - e * g, b * g - a * h, a * e - b * d),
    )
    return [[value / whole for value in row] for row in rows]


def _xyz(values: _Vector) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *map(_fixed, values))


def _fixed(value: float) -> int:
    return round(value * 65536)
