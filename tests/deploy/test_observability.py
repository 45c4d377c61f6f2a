"""Prometheus' and Grafana's configuration without either: it parses, names metrics that exist, and points somewhere."""

import json
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PROMETHEUS = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
ALERTS = [
    rule
    for group in yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text())["groups"]
    for rule in group["rules"]
]
DASHBOARD = json.loads((ROOT / "deploy/grafana/dashboards/tryon.json").read_text())
EXPRESSIONS = [rule["expr"] for rule in ALERTS] + [
    target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]
]
# As seen on the metrics pages of a worker, of Temporal 1.32 and of the fakes. The failures' counters appear with the
# first failure.
METRICS = {
    "approximate_backlog_count",
    "fake_busy_slots",
    "fake_queue_depth",
    "temporal_activity_schedule_to_start_latency_bucket",
    "temporal_num_pollers",
    "temporal_request_failure",
    "temporal_worker_task_slots_available",
    "temporal_worker_task_slots_used",
    "temporal_workflow_canceled",
    "temporal_workflow_completed",
    "temporal_workflow_failed",
    "tryon_attempt_seconds_bucket",
    "tryon_attempts",
}


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_expressions_ask_for_metrics_that_exist(expression: str) -> None:
    asked = set(re.findall(r"\b(?:approximate|fake|temporal|tryon)_[a-z_]+\b", expression))
    assert asked
    assert asked <= METRICS
    assert expression.count("(") == expression.count(")")


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_each_alert_says_what_is_wrong_and_where_to_read_on(rule: dict[str, dict[str, str]]) -> None:
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert rule["annotations"]["summary"]
    file, _, anchor = rule["annotations"]["runbook"].partition("#")
    headings = re.findall(r"^#+ (.+)$", (ROOT / file).read_text(), re.MULTILINE)
    anchors = {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert anchor in anchors


def test_what_is_scraped_is_in_the_compose_file() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    targets = [
        name.partition(":")[0]
        for job in PROMETHEUS["scrape_configs"]
        for config in (*job.get("static_configs", ()), *job.get("dns_sd_configs", ()))
        for name in (*config.get("targets", ()), *config.get("names", ()))
    ]
    assert set(targets) <= services.keys()
    assert {"worker", "temporal"} <= set(targets)


def test_the_dashboards_data_come_from_the_provisioned_source() -> None:
    sources = yaml.safe_load((ROOT / "deploy/grafana/provisioning/datasources/prometheus.yml").read_text())
    uids = {source["uid"] for source in sources["datasources"]}
    assert {panel["datasource"]["uid"] for panel in DASHBOARD["panels"]} <= uids
