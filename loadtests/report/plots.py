"""The plots of a report: each is a function from a summary to a figure."""

from collections.abc import Sequence
from itertools import cycle
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

from fakes.registry import SERVICES
from scenarios.pipeline import ACTIVITIES

INK, GRID = "#1f2933", "#d9e2ec"
COLOURS = {
    "completed": "#2a9d8f",
    "cancelled": "#8d99ae",
    "refused": "#b8b8d1",
    "failed as expected": "#c9ada7",
    "refused as expected": "#9a8c98",
    "completed, but wrong": "#bc6c25",
    "cancelled, but wrong": "#606c38",
    "failed": "#d62828",
    "timeout": "#f77f00",
    "censored": "#6a040f",
    "dropped": "#3d348b",
    "not started": "#f4acb7",
}
COLOURS_OF_SERVICES = dict(zip(SERVICES, cycle(("#457b9d", "#e9c46a", "#2a9d8f", "#d62828")), strict=False))
PROCESSES = {"worker": "#111111", "gateway": "#7b2cbf", "temporal": "#f77f00", "azurite": "#8d99ae"}
LATENCY = "#d62828"
CURVES = ("#2a9d8f", "#457b9d", "#f77f00")
OTHERS = ("#5c4033", "#606c38", "#bc6c25", "#0077b6", "#9d0208")
MIB = 1024 * 1024

mpl.rcParams.update(
    {
        "axes.edgecolor": GRID,
        "axes.grid": True,
        "axes.labelcolor": INK,
        "axes.spines.right": False,
        "axes.spines.top": False,
        "axes.titlelocation": "left",
        "axes.titleweight": "bold",
        "font.size": 9,
        "grid.color": GRID,
        "grid.linewidth": 0.6,
        "legend.frameon": False,
        "svg.fonttype": "none",
        "text.color": INK,
        "xtick.color": INK,
        "ytick.color": INK,
    }
)


def _axes(title: str, ylabel: str, xlabel: str = "seconds since the start") -> tuple[Figure, Axes]:
    figure = Figure(figsize=(6.0, 3.3), layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(title)
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    return figure, axes


def _over_time(summary: dict[str, Any], title: str, ylabel: str) -> tuple[Figure, Axes]:
    """Axes with the run's seconds; a line shows where the last try-on arrived and only waiting was left."""
    figure, axes = _axes(title, ylabel)
    axes.set_xlim(0, summary["seconds"])
    axes.axvline(summary["arriving_s"], color=INK, linestyle="--", linewidth=0.8)
    axes.annotate(
        "end of arrivals",
        (summary["arriving_s"], 0.98),
        xycoords=("data", "axes fraction"),
        xytext=(-2, 0),
        textcoords="offset points",
        rotation=90,
        ha="right",
        va="top",
        fontsize=7,
        color=INK,
    )
    return figure, axes


def _second(axes: Axes, ylabel: str, colour: str) -> Axes:
    """Return axes on the right, for another unit."""
    right = axes.twinx()
    right.grid(visible=False)
    right.spines["right"].set_visible(True)
    right.set_ylabel(ylabel, color=colour)
    return right


def _legend(*of: Axes, columns: int = 4) -> None:
    """Put one legend for all of them below the first."""
    handles = [handle for axes in of for handle in axes.get_legend_handles_labels()[0]]
    of[0].legend(handles=handles, loc="upper left", bbox_to_anchor=(0, -0.17), ncols=columns, fontsize=8)


def throughput_and_latency(summary: dict[str, Any]) -> Figure:
    """Arrivals and completions per second, and the latency of what completed, over time."""
    figure, axes = _over_time(summary, "Throughput and latency over time", "try-ons per second")
    line = summary["timeline"]
    at = [part["at"] for part in line]
    axes.step(at, [part["arrived"] for part in line], where="mid", color="#8d99ae", label="arrived")
    axes.step(at, [part["completed"] for part in line], where="mid", color=COLOURS["completed"], label="completed")
    axes.set_ylim(bottom=0)
    latency = _second(axes, "seconds from the intended start", LATENCY)
    for name, style in (("p95_s", "-"), ("p50_s", ":")):
        points = [(part["at"], part[name]) for part in line if part[name] is not None]
        latency.plot(*zip(*points, strict=True), style, color=LATENCY, label=name[:3])
    latency.set_ylim(bottom=0)
    _legend(axes, latency)
    return figure


def throughput_against_latency(summary: dict[str, Any]) -> Figure:
    """Each part of the run as a point: how many completed per second, and how long they took."""
    figure, axes = _axes("Throughput against latency", "median try-on, seconds", "try-ons completed per second")
    parts = [part for part in summary["timeline"] if part["p50_s"] is not None]
    x, colour = [part["completed"] for part in parts], [part["at"] for part in parts]
    axes.vlines(x, [part["p50_s"] for part in parts], [part["p95_s"] for part in parts], color=GRID, zorder=1)
    points = axes.scatter(x, [part["p50_s"] for part in parts], c=colour, cmap="viridis", zorder=2, s=26)
    figure.colorbar(points, ax=axes, label="seconds since the start")
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.text(0.99, 0.02, "the grey lines reach to the p95", transform=axes.transAxes, ha="right", fontsize=7)
    return figure


def percentiles(summary: dict[str, Any]) -> Figure:
    """The whole distributions, stretched towards their slow ends."""
    return percentile_curves("How long the slowest took", summary["curves"])


def percentile_curves(title: str, curves: dict[str, Sequence[Sequence[float]]]) -> Figure:
    """Draw distributions, (percentile, seconds) by name; each further nine takes as much room as the one before."""
    figure, axes = _axes(title, "seconds", "percentile")
    longest = 10.0
    for (name, points), colour in zip(curves.items(), CURVES, strict=False):
        if points:
            x = [100 / (100 - place) for place, _ in points]
            longest = max(longest, x[-1])
            axes.plot(x, [seconds for _, seconds in points], color=colour, label=name)
    axes.set_xscale("log")
    axes.set_yscale("log")
    ticks = [place for place in (0, 50, 90, 95, 99, 99.9, 99.99, 99.999) if 100 / (100 - place) <= longest * 1.05]
    axes.set_xticks([100 / (100 - place) for place in ticks], [f"{place:g}" for place in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    low, high = axes.get_ylim()
    between = ("2", "5") if high < 30 * low else ()  # over few decades, more than their ends have a number
    axes.yaxis.set_minor_formatter(FuncFormatter(lambda value, _: f"{value:g}" if f"{value:e}"[0] in between else ""))
    _legend(axes)
    return figure


def outcomes(summary: dict[str, Any]) -> Figure:
    """What became of try-ons, by when they arrived; the line is how many were running."""
    figure, axes = _over_time(summary, "What became of the try-ons that arrived then", "arrived per second")
    line = summary["timeline"]
    at, width = [part["at"] for part in line], summary["seconds"] / len(line)
    base = [0.0] * len(line)
    for name, colour in COLOURS.items():
        heights = [part["became"].get(name, 0.0) for part in line]
        if any(heights):
            axes.bar(at, heights, width * 0.9, bottom=base, color=colour, label=name)
            base = [low + height for low, height in zip(base, heights, strict=True)]
    running = _second(axes, "running", INK)
    running.plot(at, [part["in_flight"] for part in line], color=INK, linewidth=1.2, label="running")
    running.set_ylim(bottom=0)
    running.yaxis.set_major_locator(MaxNLocator(integer=True))
    _legend(axes, running)
    return figure


def where_time_went(summary: dict[str, Any]) -> Figure:
    """A mean try-on's time by activity: in a queue, in earlier attempts, running."""
    figure, axes = _axes("Where a mean try-on's time went", "", "seconds")
    waits = summary["waits"]
    names = [name for name in ("workflow", *ACTIVITIES) if name in waits["activities"]]
    left = [0.0] * len(names)
    for kind, label, colour in (
        ("queued", "queued for a worker", "#f77f00"),
        ("earlier", "earlier attempts and pauses", "#d62828"),
        ("run", "running", "#2a9d8f"),
    ):
        parts = [waits["activities"][name][kind] for name in names]
        means = [part["count"] * part.get("mean_s", 0.0) / waits["read"] for part in parts]
        axes.barh(names, means, left=left, color=colour, label=label)
        left = [start + mean for start, mean in zip(left, means, strict=True)]
    between = waits["between"]["mean_s"]
    axes.barh(["between them"], [between], color="#8d99ae", label="deciding what comes next")
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    _legend(axes, columns=2)
    return figure


def queues(summary: dict[str, Any]) -> Figure:
    """Calls that wait for a slot of each fake."""
    figure, axes = _over_time(summary, "Queue depth of each service", "calls waiting")
    _by_service(axes, summary, "waiting")
    return figure


def slots(summary: dict[str, Any]) -> Figure:
    """Slots in use of each fake."""
    figure, axes = _over_time(summary, "Busy slots of each service", "slots")
    _by_service(axes, summary, "busy")
    return figure


def _by_service(axes: Axes, summary: dict[str, Any], what: str) -> None:
    samples = summary["samples"]
    for service, colour in COLOURS_OF_SERVICES.items():
        points = [(sample["at"], sample[what][service]) for sample in samples if service in sample[what]]
        if points:
            slots = max(sample["slots"].get(service, 0) for sample in samples)
            label = f"{service} (has {slots or 'no limit'})"
            axes.step(*zip(*points, strict=True), where="post", color=colour, label=label, linewidth=1.2)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    _legend(axes, columns=2)


def memory(summary: dict[str, Any]) -> Figure:
    """Resident memory of worker and gateway."""
    figure, axes = _over_time(summary, "Memory of worker and gateway", "MiB")
    for name in summary["processes"]:
        if name.startswith(("worker", "gateway")):
            points = [(sample["at"], sample["memory"][name] / MIB) for sample in summary["samples"]]
            axes.plot(*zip(*points, strict=True), color=_process_colour(name), label=name)
    axes.set_ylim(bottom=0)
    _legend(axes)
    return figure


def cpu(summary: dict[str, Any]) -> Figure:
    """CPU of each process, as a share of one CPU."""
    figure, axes = _over_time(summary, "CPU of each process", "share of one CPU, %")
    samples = summary["samples"][::2]
    for name in summary["processes"]:
        points = [
            (
                (before["at"] + after["at"]) / 2,
                100 * (after["cpu"][name] - before["cpu"][name]) / (after["at"] - before["at"]),
            )
            for before, after in zip(samples, samples[2:], strict=False)
        ]
        if points:
            axes.plot(*zip(*points, strict=True), color=_process_colour(name), label=name, linewidth=1.2)
    axes.set_ylim(bottom=0)
    _legend(axes)
    return figure


def _process_colour(name: str) -> str:
    known = PROCESSES | COLOURS_OF_SERVICES
    return known.get(name) or OTHERS[sum(name.encode()) % len(OTHERS)]
