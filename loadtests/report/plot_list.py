"""Which plots a report has, and why one is left out; each is written as PNG, and as SVG for the page."""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from loadtests.report import plots


def _without_ends(summary: dict[str, Any]) -> str:
    return "" if summary["transaction"]["count"] else "no try-on completed."


def _without_requests(summary: dict[str, Any]) -> str:
    return "" if any(summary["curves"].values()) else "nothing was answered."


def _without_slots(summary: dict[str, Any]) -> str:
    if not any(sample["slots"] for sample in summary["samples"]):
        return "no fake was watched; --fake SERVICE=URL names one of the deployment's."
    if not any(any(sample["slots"].values()) for sample in summary["samples"]):
        return "the fakes have as many slots as they are asked for; --profile names another profile of theirs."
    return ""


def _without_processes(summary: dict[str, Any]) -> str:
    if summary["processes"] and len(summary["samples"]) > 4:
        return ""
    return (
        "the processes of a deployment cannot be seen from here; its own monitoring has them, and a run without --host."
    )


def _without_waits(summary: dict[str, Any]) -> str:
    if summary["waits"].get("read"):
        return ""
    return "no history in Temporal was read; --temporal HOST:PORT names the deployment's."


@dataclass(frozen=True)
class Plot:
    """What is drawn, and why not: `missing` returns "", or what is missing and which option gives it."""

    title: str
    draw: Callable[[dict[str, Any]], Figure]
    missing: Callable[[dict[str, Any]], str]


PLOTS = {
    "throughput-latency": Plot("Throughput and latency over time", plots.throughput_and_latency, _without_ends),
    "throughput-against-latency": Plot("Throughput against latency", plots.throughput_against_latency, _without_ends),
    "outcomes": Plot("Outcomes", plots.outcomes, lambda _: ""),
    "percentiles": Plot("Percentiles", plots.percentiles, _without_requests),
    "where-time-went": Plot("Where a try-on's time went", plots.where_time_went, _without_waits),
    "queues": Plot("Queue depth of each service", plots.queues, _without_slots),
    "slots": Plot("Busy slots", plots.slots, _without_slots),
    "memory": Plot("Memory of worker and gateway", plots.memory, _without_processes),
    "cpu": Plot("CPU of each process", plots.cpu, _without_processes),
}


def svg(figure: Figure) -> str:
    """Return a plot as SVG for a page."""
    file = BytesIO()
    figure.savefig(file, format="svg", metadata={"Date": None})
    text = file.getvalue().decode()
    return text[text.index("<svg") :]


def draw_all(summary: dict[str, Any], folder: Path) -> tuple[list[str], list[str]]:
    """Write the PNG file of each plot that has something to show. Return them as SVG, and a sentence for each other."""
    drawn, left_out = [], []
    for name, plot in PLOTS.items():
        png = folder / f"{name}.png"
        if why := plot.missing(summary):
            png.unlink(missing_ok=True)  # that of an earlier run
            left_out.append(f"{plot.title}: {why}")
        else:
            figure = plot.draw(summary)
            figure.savefig(png, dpi=150)
            drawn.append(svg(figure))
    return drawn, left_out
