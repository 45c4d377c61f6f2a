"""What SAM3 does to a picture: a mask for the jewellery, grown from the points that a person set."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from fakes.pictures.canvas import smooth
from fakes.pictures.opening import Field, Flags, PictureError, alpha_of, as_rgb, decode, fit, open_picture, to_png
from fakes.pictures.regions import label_parts

WORKING_SIDE: Final = 320
"""The region is grown on a picture of at most this many pixels a side."""

_LINK: Final = 0.09
"""Foreground points nearer to each other than this share of the diagonal are joined: two ears are not."""
_LINK_MANY: Final = 0.14
"""The same where there are at least `_MANY` points, as only a necklace has."""
_MANY: Final = 4
_BAND: Final = 0.0155
"""Half the breadth of a joined piece, as a share of the diagonal."""

Point = tuple[float, float]
Spots = NDArray[np.float32]
"""Rows of (x, y) in pixels of the working picture."""


def segment(data: bytes, points: Sequence[Point], labels: Sequence[int]) -> bytes:
    """Grow a mask (PNG of mode L, 255 is foreground) around the points labelled 1 and away from those labelled 0.

    Points are (x, y) from 0 to 1. Neighbouring foreground points are joined to a band, as a necklace, unless a
    background point lies between them. A single point gets a crescent; points far from each other get a drop each, as
    earrings. Where colours differ from those under the points, the region ends sooner. It covers each foreground point
    and no background point, except one on the very pixel of a foreground point. Raises PictureError for a bad
    picture, for one of a single pixel, and when no point is labelled 1.
    """
    image = decode(open_picture(data))
    if image.width * image.height < 2:
        raise PictureError("the picture has a single pixel; nothing can be told apart in it")
    if len(points) != len(labels):
        raise PictureError(f"{len(points)} points but {len(labels)} labels")
    wanted = [point for point, label in zip(points, labels, strict=True) if label == 1]
    unwanted = [point for point, label in zip(points, labels, strict=True) if label == 0]
    if not wanted:
        raise PictureError("no point is labelled 1 (foreground)")
    size = fit(image.size, WORKING_SIDE)
    reach = _reach(image, size, wanted, unwanted)
    grown = np.asarray(Image.fromarray(reach).resize(image.size, Image.Resampling.BICUBIC)) < 1
    mask = _with_points(grown, wanted, unwanted)
    return to_png(Image.fromarray(mask.astype(np.uint8) * 255))


def _reach(image: Image.Image, size: tuple[int, int], wanted: list[Point], unwanted: list[Point]) -> Field:
    """For each pixel of the working picture how far out of the region it is: below 1 is inside."""
    width, height = size
    diagonal = float(np.hypot(width, height))
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    away: Field = np.full((height, width), np.inf, np.float32)
    link = diagonal * (_LINK_MANY if len(wanted) >= _MANY else _LINK)
    pieces = _pieces(_pixels(wanted, size), _pixels(unwanted, size), link)
    for piece in pieces:
        away = np.minimum(away, _piece_reach(x, y, piece, diagonal, single=len(pieces) == 1))
    away = away * (1 + _strangeness(image, size, wanted))
    refused = _distance(x, y, _pixels(unwanted, size)) if unwanted else None
    if refused is not None:
        nearest = _distance(x, y, _pixels(wanted, size))
        # Nearer to a background point than to a foreground point is outside, softly.
        away = np.maximum(away, 2 * nearest / (nearest + refused + 1e-3))
        away = np.where(refused < diagonal * 0.008, np.maximum(away, 2), away)
    alpha = alpha_of(image)
    if alpha is not None:
        clear = np.asarray(alpha.resize(size, Image.Resampling.BOX)) < 128
        away = np.where(clear, np.maximum(away, 2), away)
    return np.minimum(away, 3).astype(np.float32)


def _piece_reach(x: Field, y: Field, piece: Spots, diagonal: float, *, single: bool) -> Field:
    if len(piece) > 1:
        return np.asarray(_distance(x, y, piece) / (diagonal * _BAND))
    px, py = piece[0].tolist()
    if not single:
        # A drop that hangs from its point, as an earring does.
        return np.asarray(np.hypot((x - px) / (diagonal * 0.011), (y - py - diagonal * 0.014) / (diagonal * 0.024)))
    # A crescent through its point: its ends are higher than its middle.
    u = (x - px) / (diagonal * 0.062)
    return np.asarray(np.hypot(u, (y - py) / (diagonal * 0.02) + u * u * 1.4))


def _strangeness(image: Image.Image, size: tuple[int, int], wanted: list[Point]) -> Field:
    """How unlike the colours under the foreground points each pixel is: 0 for alike, 1 or more for another thing."""
    small = as_rgb(image).resize(size, Image.Resampling.BOX, reducing_gap=2.0).filter(ImageFilter.GaussianBlur(1.5))
    colours = np.asarray(small.convert("YCbCr"), np.float32) * np.array([0.5, 1.4, 1.4], np.float32)
    least = np.full(colours.shape[:2], np.inf, np.float32)
    for px, py in _pixels(wanted, size):
        least = np.minimum(least, np.square(colours - colours[round(float(py)), round(float(px))]).sum(axis=2))
    return np.maximum(np.sqrt(least) / 34 - 0.4, 0).astype(np.float32)


def _pieces(spots: Spots, refused: Spots, link: float) -> list[Spots]:
    """Foreground spots as curves: those within `link` of each other joined along their shortest tree.

    A refused spot in the circle over two spots keeps them apart.
    """
    group = list(range(len(spots)))
    joined: list[tuple[int, int]] = []
    pairs = sorted((float(np.hypot(*(spots[a] - spots[b]))), a, b) for a in range(len(spots)) for b in range(a))
    for distance, a, b in pairs:
        middle = (spots[a] + spots[b]) / 2
        apart = distance > link or bool((np.hypot(*(refused - middle).T) < distance / 2).any())
        if not apart and group[a] != group[b]:
            joined.append((a, b))
            group = [group[b] if number == group[a] else number for number in group]
    pieces = []
    for number in sorted(set(group)):
        members = [spot for spot, of in enumerate(group) if of == number]
        pieces.append(_curve(spots, members, [pair for pair in joined if group[pair[0]] == number]))
    return pieces


def _curve(spots: Spots, members: list[int], joined: list[tuple[int, int]]) -> Spots:
    """Spots along the lines of a tree; where it does not branch, along a smooth curve through its members."""
    if not joined:
        return spots[members]
    neighbours = {spot: [b if spot == a else a for a, b in joined if spot in {a, b}] for spot in members}
    if any(len(near) > 2 for near in neighbours.values()):
        return np.concatenate([np.linspace(spots[a], spots[b], 10, dtype=np.float32) for a, b in joined])
    way = [next(spot for spot in members if len(neighbours[spot]) == 1)]
    while len(way) < len(members):
        way.append(next(spot for spot in neighbours[way[-1]] if spot not in way))
    return np.asarray(smooth([(float(x), float(y)) for x, y in spots[way]], closed=False), np.float32)


def _pixels(points: Sequence[Point], size: tuple[int, int]) -> Spots:
    """Where normalised points lie: 0 is the middle of the first pixel, 1 that of the last."""
    clipped = [(min(max(x, 0.0), 1.0) * (size[0] - 1), min(max(y, 0.0), 1.0) * (size[1] - 1)) for x, y in points]
    return np.array(clipped, np.float32).reshape(-1, 2)


def _distance(x: Field, y: Field, spots: Spots) -> Field:
    least = np.full(x.shape, np.inf, np.float32)
    for px, py in spots:
        least = np.minimum(least, np.square(x - px) + np.square(y - py))
    return np.asarray(np.sqrt(least))


def _with_points(grown: Flags, wanted: list[Point], unwanted: list[Point]) -> Flags:
    """The region joined to its foreground points, without its background points and without loose islands."""
    mask = grown.copy()
    size = (mask.shape[1], mask.shape[0])
    inside = [(round(float(y)), round(float(x))) for x, y in _pixels(wanted, size)]
    for y, x in (((round(float(y)), round(float(x)))) for x, y in _pixels(unwanted, size)):
        mask[y, x] = False
    for y, x in inside:
        mask[y, x] = True
    labels, _ = label_parts(mask)
    return np.isin(labels, sorted({int(labels[y, x]) for y, x in inside}))
