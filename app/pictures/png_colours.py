"""What a PNG says of its colours without a profile, as the profile that says the same: cICP, or gAMA and cHRM."""

import struct
from collections.abc import Sequence

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
"""By ITU-T H.273, as ICC's parametric curves: the type and its parameters. PQ and HLG are not among them."""
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
    if primaries not in _PRIMARIES or transfer not in _CURVES or matrix != 0 or full != 1:
        return None
    return _icc(_PRIMARIES[primaries], _CURVES[transfer])


def gamma_profile(image: Image.Image) -> bytes | None:
    """Return the profile that gAMA and cHRM mean, where no sRGB wins over them; what is left unsaid is as in sRGB."""
    gamma, points = image.info.get("gamma"), image.info.get("chromaticity")
    if "srgb" in image.info or not (gamma or points):
        return None
    return _icc(points or _SRGB, (0, 1 / gamma) if gamma else _SRGB_CURVE)


def _icc(points: _Vector, curve: Sequence[float]) -> bytes | None:
    """Return a profile of a screen; None for points that no screen has."""
    try:
        columns = _columns(points)
        shape = b"para\0\0\0\0" + struct.pack(f">HH{len(curve) - 1}i", int(curve[0]), 0, *map(_fixed, curve[1:]))
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
