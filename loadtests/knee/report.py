"""The knee as one HTML page that links to the report of each rate, its plot as PNG, its figures as JSON."""

import json
from dataclasses import asdict
from pathlib import Path

from matplotlib.figure import Figure

from loadtests.knee.model import Point
from loadtests.knee.search import Knee, Rate, told
from loadtests.knee.sizing import Station
from loadtests.report.plot_list import svg
from loadtests.report.plots import INK
from loadtests.report.report import render

PAGE, PLOT, FIGURES = "knee.html", "knee.png", "knee.json"
SHARPNESS = 41
"""Points of the foreseen curve."""
FORESEEN, KEPT, BROKEN = "#457b9d", "#2a9d8f", "#d62828"


def write_page(folder: Path, knee: Knee, a100: Station) -> Path:
    """Write page, plot and figures into a folder that has the reports of the rates, and return the page's path.

    Args:
        folder: where the search put its runs.
        knee: what it found.
        a100: whose slots the rates of `knee.needs` need.
    """
    (folder / FIGURES).write_text(json.dumps(_figures(knee), indent=1), encoding="utf-8")
    tried = sorted(knee.steps, key=lambda step: step.rate)
    foreseen = {step.rate: knee.foresight.figures(step.rate, knee.seed) for step in tried}
    drawn = plot(knee)
    drawn.savefig(folder / PLOT, dpi=150)
    page = render(
        "knee.html.j2",
        passed=knee.passed,
        knee=knee,
        tried=tried,
        foreseen=foreseen,
        a100=a100,
        plot=svg(drawn),
        about=knee.over or tried[-1],
        told=told,
    )
    path = folder / PAGE
    path.write_text(page, encoding="utf-8")
    return path


def _figures(knee: Knee) -> dict[str, object]:
    def of(step: Rate) -> dict[str, object]:
        return asdict(step) | {"kept": step.kept, "broken": [item.name for item in step.broken]}

    proof, over = knee.proof, knee.over
    return {
        "knee": knee.rate,
        "between": [knee.good, over.rate if over else None],
        "broken": [item.name for item in over.broken] if over else [],
        "foreseen": asdict(knee.foreseen),
        "elsewhere": knee.foresight.elsewhere,
        "thresholds": knee.foresight.limits.model_dump(exclude_none=True),
        "ratio": knee.ratio,
        "passed": knee.passed,
        "bottleneck": over.busiest if over else None,
        "steps": [of(step) for step in knee.steps],
        "with_more_slots": proof and {"slots": proof.slots, "why": proof.why, "step": proof.step and of(proof.step)},
        "stations": [{"name": one.name, "slots": one.slots, **asdict(one.service)} for one in knee.stations],
        "slots_needed": [asdict(need) for need in knee.needs],
    }


def plot(knee: Knee) -> Figure:
    """The p95 of a try-on at each rate: foreseen as a curve, with a band for other arrivals, and measured as dots."""
    figure = Figure(figsize=(8.6, 4.4), layout="constrained")
    axes = figure.add_subplot()
    highest = max(knee.foreseen.high, *(step.rate for step in knee.steps)) * 1.05
    lowest = min(step.rate for step in knee.steps)
    rates = [lowest + (highest - lowest) * part / (SHARPNESS - 1) for part in range(SHARPNESS)]
    points = knee.foresight.curve(rates, knee.seed)
    label = "foreseen for other arrivals (80 of 100 runs)"
    axes.fill_between(
        rates, [p.low_s for p in points], [p.high_s for p in points], color=FORESEEN, alpha=0.15, lw=0, label=label
    )
    axes.plot(rates, [point.p95_s for point in points], color=FORESEEN, label="foreseen for the arrivals sent")
    for kept, colour, name in ((True, KEPT, "measured, kept"), (False, BROKEN, "measured, broken")):
        seen = [(step.rate, step.transaction["p95_s"]) for step in knee.steps if step.kept is kept]
        if seen:
            axes.plot(*zip(*seen, strict=True), "o", color=colour, label=name, zorder=5)
    limit = knee.foresight.limits.transaction.p95_s
    if limit is not None:
        axes.axhline(limit, color=INK, linestyle=":", linewidth=1, label="threshold of the p95")
    axes.axvline(knee.foreseen.lasting, color="#8d99ae", linestyle="-.", linewidth=1, label="knee for long (Erlang)")
    axes.axvline(knee.foreseen.knee, color=FORESEEN, linestyle="--", linewidth=1, label="foreseen knee")
    slots = f"{knee.first.slots} slot{'s' if knee.first.slots > 1 else ''}"
    axes.set_title(f"p95 of a try-on against the rate: {knee.first.name} with {slots}")
    axes.set_xlabel("try-ons arriving per second")
    axes.set_ylabel("p95 of a try-on, seconds")
    axes.set_ylim(0, _top(points, knee, limit))
    axes.set_xlim(min(lowest, knee.foreseen.lasting) * 0.95, highest)
    axes.legend(loc="upper left", bbox_to_anchor=(0, -0.14), ncols=3)
    return figure


def _top(points: list[Point], knee: Knee, limit: float | None) -> float:
    """Return a height that shows every dot and the threshold; the band may leave the picture."""
    seen: float = max(step.transaction["p95_s"] for step in knee.steps)
    return 1.15 * max(seen, limit or 0.0, min(points[-1].p95_s, 2 * seen))
