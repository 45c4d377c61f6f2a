"""The report of a run: one self-contained HTML page, PNG files of its plots beside it, and the figures as JSON."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from loadtests import bottleneck
from loadtests.plots import PLOTS, save
from loadtests.thresholds import Judged

LOOK = Path(__file__).parents[1] / "scenarios" / "console" / "static" / "look.css"
"""The look of everything that the harness shows."""
PAGE, FIGURES = "report.html", "report.json"


def describe(plan: dict[str, Any]) -> str:
    """Say in a few words what load a plan makes."""
    if plan["model"] == "closed":
        return f"{plan['users']} users for {plan['seconds']:g} s"
    return f"{plan['rate']:g} try-ons/s ({plan['shape']}) for {plan['seconds']:g} s"


def write_report(folder: Path, summary: dict[str, Any], judged: Sequence[Judged]) -> Path:
    """Write page, plots and figures into a folder, and return the page's path."""
    folder.mkdir(parents=True, exist_ok=True)
    passed = all(item.kept for item in judged) and not summary["interrupted"]
    thresholds = [vars(item) for item in judged]
    text = json.dumps(summary | {"passed": passed, "thresholds": thresholds}, indent=1)
    (folder / FIGURES).write_text(text, encoding="utf-8")
    plots = [save(plot(summary), folder / f"{name}.png") for name, plot in PLOTS.items()]
    pages = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined)
    page = pages.get_template("report.html.j2").render(
        summary=summary,
        judged=judged,
        passed=passed,
        verdict="Interrupted" if summary["interrupted"] else "Passed" if passed else "Failed",
        look=LOOK.read_text(encoding="utf-8"),
        plots=plots,
        load=describe(summary["plan"]),
        when=datetime.fromtimestamp(summary["begun"], UTC).strftime("%Y-%m-%d %H:%M UTC"),
        bottleneck=bottleneck.verdict(summary),
        evidence=bottleneck.evidence(summary),
        latencies=[
            ("try-on", summary["transaction"]),
            ("started late by", summary["late_start"]),
        ],
        plan=json.dumps(summary["plan"], indent=1),
        number=number,
        seconds=lambda value: "-" if value is None else f"{number(value)} s",
    )
    path = folder / PAGE
    path.write_text(page, encoding="utf-8")
    return path


def number(value: float | None) -> str:
    """Return a figure with three digits, or a dash when there is none."""
    if value is None:
        return "-"
    return f"{value:.3f}" if abs(value) < 1 else f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
