"""The plots of a report: each is a function from a summary to a figure, saved as SVG for the page and as PNG."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK, GRID = "#1f2933", "#d9e2ec"
COLOURS = {
    "completed": "#2a9d8f",
    "cancelled": "#8d99ae",
    "refused": "#b8b8d1",
    "failed": "#d62828",
    "timeout": "#f77f00",
    "censored": "#6a040f",
    "dropped": "#3d348b",
    "not started": "#f4acb7",
}
SERVICES = {"image_manipulator": "#457b9d", "birefnet": "#e9c46a", "sam3": "#2a9d8f", "a100": "#d62828"}
PROCESSES = {"worker": "#111111", "gateway": "#7b2cbf", "temporal": "#f77f00", "azurite": "#8d99ae"}
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
    figure = Figure(figsize=(7.2, 3.5), layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(title)
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    return figure, axes


def throughput_and_latency(summary: dict[str, Any]) -> Figure:
    """Arrivals and completions per second, and the latency of what completed, over time."""
    figure, axes = _axes("Throughput against latency", "try-ons per second")
    line = summary["timeline"]
    at = [part["at"] for part in line]
    axes.step(at, [part["arrived"] for part in line], where="mid", color="#8d99ae", label="arrived")
    completed = [part["completed"] for part in line]
    axes.step(at, completed, where="mid", color=COLOURS["completed"], label="completed")
    axes.set_ylim(bottom=0)
    latency = axes.twinx()
    latency.grid(visible=False)
    latency.spines["right"].set_visible(True)
    for name, style in (("p95_s", "-"), ("p50_s", ":")):
        points = [(part["at"], part[name]) for part in line if part[name] is not None]
        latency.plot(*zip(*points, strict=True), style, color="#d62828", label=name[:3]) if points else None
    latency.set_ylabel("seconds from the intended start", color="#d62828")
    latency.set_ylim(bottom=0)
    handles = [*axes.get_legend_handles_labels()[0], *latency.get_legend_handles_labels()[0]]
    axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(0, -0.16), ncols=5)
    return figure


def outcomes(summary: dict[str, Any]) -> Figure:
    """What became of try-ons, by when they arrived; the line is how many were running."""
    figure, axes = _axes("What became of those that arrived then", "try-ons per second")
    line = summary["timeline"]
    at, width = [part["at"] for part in line], summary["seconds"] / len(line)
    base = [0.0] * len(line)
    for name, colour in COLOURS.items():
        heights = [part["became"].get(name, 0.0) for part in line]
        if any(heights):
            axes.bar(at, heights, width * 0.9, bottom=base, color=colour, label=name)
            base = [low + height for low, height in zip(base, heights, strict=True)]
    running = axes.twinx()
    running.grid(visible=False)
    running.spines["right"].set_visible(True)
    running.plot(at, [part["in_flight"] for part in line], color=INK, linewidth=1.2, label="running")
    running.set_ylabel("running")
    running.set_ylim(bottom=0)
    handles = [*axes.get_legend_handles_labels()[0], *running.get_legend_handles_labels()[0]]
    axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(0, -0.16), ncols=5)
    return figure


def queues(summary: dict[str, Any]) -> Figure:
    """Calls that wait for a slot of each fake."""
    figure, axes = _axes("Queue depth of each service", "calls waiting")
    _by_service(axes, summary, "waiting")
    return figure


def slots(summary: dict[str, Any]) -> Figure:
    """Slots in use of each fake; dotted: how many there are."""
    figure, axes = _axes("Busy slots (dotted: all there are)", "slots")
    _by_service(axes, summary, "busy")
    for service, colour in SERVICES.items():
        has = [sample["slots"].get(service, 0) for sample in summary["samples"]]
        if has and has[-1]:
            axes.axhline(has[-1], color=colour, linestyle=":", linewidth=1)
    return figure


def _by_service(axes: Axes, summary: dict[str, Any], what: str) -> None:
    for service, colour in SERVICES.items():
        points = [(sample["at"], sample[what][service]) for sample in summary["samples"] if service in sample[what]]
        if points:
            axes.step(*zip(*points, strict=True), where="post", color=colour, label=service, linewidth=1.2)
    axes.set_ylim(bottom=0)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="upper left", bbox_to_anchor=(0, -0.16), ncols=5)


def memory(summary: dict[str, Any]) -> Figure:
    """Resident memory of worker and gateway."""
    figure, axes = _axes("Memory of worker and gateway", "MiB")
    for name in summary["processes"]:
        if name.startswith(("worker", "gateway")):
            points = [(sample["at"], sample["memory"][name] / MIB) for sample in summary["samples"]]
            axes.plot(*zip(*points, strict=True), color=_process_colour(name), label=name)
    axes.set_ylim(bottom=0)
    if summary["processes"]:
        axes.legend(loc="upper left", bbox_to_anchor=(0, -0.16), ncols=5)
    return figure


def cpu(summary: dict[str, Any]) -> Figure:
    """CPU of each process, as a share of one CPU."""
    figure, axes = _axes("CPU of each process", "share of one CPU, %")
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
    if summary["processes"]:
        axes.legend(loc="upper left", bbox_to_anchor=(0, -0.16), ncols=4, fontsize=8)
    return figure


def _process_colour(name: str) -> str:
    known = PROCESSES | SERVICES
    return known.get(name) or OTHERS[sum(name.encode()) % len(OTHERS)]


PLOTS: dict[str, Callable[[dict[str, Any]], Figure]] = {
    "throughput-latency": throughput_and_latency,
    "outcomes": outcomes,
    "queues": queues,
    "slots": slots,
    "memory": memory,
    "cpu": cpu,
}


def save(figure: Figure, png: Path) -> str:
    """Write the PNG file and return the same plot as SVG for a page."""
    figure.savefig(png, dpi=150)
    svg = BytesIO()
    figure.savefig(svg, format="svg", metadata={"Date": None})
    text = svg.getvalue().decode()
    return text[text.index("<svg") :]
