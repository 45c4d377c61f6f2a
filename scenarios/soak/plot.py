"""The picture of a soak: memory and event loop lag over time."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt

Series = Mapping[str, list[tuple[float, float]]]
"""Seconds and values, by the name of the process."""


def plot(memory: Series, lag: Series, lag_limit_ms: float, path: Path) -> None:
    """Write the picture as a PNG file. Memory is in MB, lag in ms."""
    figure, (upper, lower) = plt.subplots(2, 1, figsize=(9, 6), sharex=True, layout="constrained")
    for axes, series in ((upper, memory), (lower, lag)):
        for name, points in series.items():
            axes.plot(*(zip(*points, strict=True) if points else ((), ())), label=name)
    upper.set(title="Memory", ylabel="MB", ylim=(0, None))
    lower.axhline(lag_limit_ms, color="grey", linestyle=":", label="limit")
    lower.set(title="Event loop lag, 99th percentile of each 10 s", ylabel="ms", xlabel="seconds", ylim=(0, None))
    for axes in (upper, lower):
        axes.legend(loc="center right")
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=110)
    plt.close(figure)
