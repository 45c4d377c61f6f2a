"""Regions of pixels: connected parts, holes, distances to the edge and outlines."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from fakes.pictures.opening import Field, Flags

Outline = NDArray[np.float32]
"""A closed curve: rows of (x, y) in pixels, corner (0, 0) at the top left of the first pixel."""

_STEPS: Final = ((1, 0), (0, 1), (-1, 0), (0, -1))
"""Directions of a walk along pixel edges: east, south, west, north, as (dx, dy)."""
_AHEAD: Final = (((1, 1), (1, 0)), ((0, 1), (1, 1)), ((0, 0), (0, 1)), ((1, 0), (0, 0)))
"""For each direction the pixels ahead of a corner, right and left of it: (dx, dy) in a picture padded by one."""


def label_parts(region: Flags) -> tuple[NDArray[np.int32], int]:
    """Number the 4-connected parts of a region from 1. Answers the labels (0 outside) and how many there are."""
    rows, starts, ends = _runs(region)
    parent = list(range(len(rows)))

    def root(run: int) -> int:
        while parent[run] != run:
            parent[run] = parent[parent[run]]
            run = parent[run]
        return run

    above = 0
    for run, row in enumerate(rows):
        # Runs are sorted, so the run above that may touch this one only moves forward.
        while above < run and (rows[above] < row - 1 or (rows[above] == row - 1 and ends[above] <= starts[run])):
            above += 1
        touching = above
        while touching < run and rows[touching] == row - 1 and starts[touching] < ends[run]:
            parent[root(touching)] = root(run)
            touching += 1
    numbers: dict[int, int] = {}
    labels = np.zeros(region.shape, np.int32)
    for run, row in enumerate(rows):
        labels[row, starts[run] : ends[run]] = numbers.setdefault(root(run), len(numbers) + 1)
    return labels, len(numbers)


def largest_part(region: Flags) -> Flags:
    """The largest connected part alone."""
    labels, count = label_parts(region)
    if count <= 1:
        return region
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    part: Flags = labels == sizes.argmax()
    return part


def fill_holes(region: Flags) -> Flags:
    """The region with every enclosed hole filled."""
    labels, _ = label_parts(~region)
    edge = np.unique(np.concatenate((labels[0], labels[-1], labels[:, 0], labels[:, -1])))
    return ~np.isin(labels, edge[edge > 0])


def depth(region: Flags, limit: int) -> Field:
    """Distance in pixels from each pixel's centre to the nearest pixel outside, up to `limit`; 0 outside.

    What lies beyond the picture's edge counts as outside.
    """
    height, width = region.shape
    padded = np.pad(region, 1)
    # First along each row, then the least sum of squares over the rows within the limit.
    across = np.where(padded, np.float32(limit), np.float32(0))
    for column in range(1, width + 2):
        across[:, column] = np.minimum(across[:, column], across[:, column - 1] + 1)
    for column in range(width, -1, -1):
        across[:, column] = np.minimum(across[:, column], across[:, column + 1] + 1)
    squares = across * across
    best = squares.copy()
    for shift in range(1, min(limit, height + 1) + 1):
        step = np.float32(shift * shift)
        np.minimum(best[shift:], squares[:-shift] + step, out=best[shift:])
        np.minimum(best[:-shift], squares[shift:] + step, out=best[:-shift])
    distances: Field = np.sqrt(best[1:-1, 1:-1])
    return distances


def outlines(region: Flags, most: int) -> list[Outline]:
    """The outer outlines of the `most` largest connected parts, largest first."""
    labels, _ = label_parts(region)
    flat = labels.ravel()
    numbers, first, sizes = np.unique(flat, return_index=True, return_counts=True)
    width = region.shape[1]
    found = sorted(
        (-size, at, number)
        for number, at, size in zip(numbers.tolist(), first.tolist(), sizes.tolist(), strict=True)
        if number
    )
    return [_walk(labels == number, at % width, at // width) for _, at, number in found[:most]]


def resample(outline: Outline, spacing: float, smooth: int = 0) -> Outline:
    """Points along a closed outline at equal distances of about `spacing`, at least one, smoothed beforehand."""
    curve = outline
    if smooth and len(curve) > 4 * smooth:
        window = 2 * smooth + 1
        kernel = np.ones(window, np.float32) / window
        ring = np.concatenate((curve[-smooth:], curve, curve[:smooth]))
        curve = np.stack([np.convolve(ring[:, axis], kernel, "valid") for axis in (0, 1)], axis=1)
    closed = np.concatenate((curve, curve[:1]))
    lengths = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(closed, axis=0).T))))
    count = max(1, round(lengths[-1] / max(spacing, 1e-6)))
    at = np.linspace(0, lengths[-1], count, endpoint=False)
    return np.stack([np.interp(at, lengths, closed[:, axis]) for axis in (0, 1)], axis=1).astype(np.float32)


def _runs(region: Flags) -> tuple[list[int], list[int], list[int]]:
    steps = np.diff(np.pad(region, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    rows, starts = np.nonzero(steps == 1)
    _, ends = np.nonzero(steps == -1)
    return rows.tolist(), starts.tolist(), ends.tolist()


def _walk(part: Flags, x: int, y: int) -> Outline:
    """Walk along the pixel edges from the top left corner of (x, y), the part on the right hand."""
    inside = np.pad(part, 1).tolist()
    corners = []
    start, direction = (x, y), 0
    while True:
        corners.append((x, y))
        dx, dy = _STEPS[direction]
        x, y = x + dx, y + dy
        (right_dx, right_dy), (left_dx, left_dy) = _AHEAD[direction]
        if not inside[y + right_dy][x + right_dx]:
            direction = (direction + 1) % 4
        elif inside[y + left_dy][x + left_dx]:
            direction = (direction - 1) % 4
        if (x, y) == start:
            return np.array(corners, np.float32)
