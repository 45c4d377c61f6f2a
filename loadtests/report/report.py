"""The report of a run: one self-contained HTML page, PNG files of its plots beside it, and the figures as JSON."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from loadtests.measure import bottleneck
from loadtests.report.plot_list import draw_all
from loadtests.thresholds import Judged
from scenarios import pages

TEMPLATES = Path(__file__).with_name("templates")
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
    plots, left_out = draw_all(summary, folder)
    path = folder / PAGE
    page = render(
        "report.html.j2",
        summary=summary,
        judged=judged,
        passed=passed,
        verdict="Interrupted" if summary["interrupted"] else "Passed" if passed else "Failed",
        plots=plots,
        plots_left_out=left_out,
        load=describe(summary["plan"]),
        when=when(summary),
        bottleneck=bottleneck.verdict(summary),
        evidence=bottleneck.evidence(summary),
        latencies=[
            ("try-on", summary["transaction"]),
            ("accepted after", summary["accepted"]),
            ("started late by", summary["late_start"]),
        ],
        link=partial(link, summary["temporal"]),
        plan=json.dumps(summary["plan"], indent=1),
    )
    path.write_text(page, encoding="utf-8")
    return path


def render(template: str, **words: Any) -> str:
    """Return a page that needs no other file."""
    return pages.render(TEMPLATES / template, number=number, seconds=_seconds, **words)


def when(summary: dict[str, Any]) -> str:
    """Say when a run began."""
    return datetime.fromtimestamp(summary["begun"], UTC).strftime("%Y-%m-%d %H:%M UTC")


def link(temporal: dict[str, str] | None, workflow_id: str) -> str | None:
    """Return the address of a workflow in Temporal's web page, where that is known."""
    if not temporal or not temporal["ui"]:
        return None
    return f"{temporal['ui']}/namespaces/{temporal['namespace']}/workflows/{workflow_id}"


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{number(value)} s"


def number(value: float | None) -> str:
    """Return a figure with three digits, or a dash when there is none."""
    if value is None:
        return "-"
    return f"{value:.3f}" if abs(value) < 1 else f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
