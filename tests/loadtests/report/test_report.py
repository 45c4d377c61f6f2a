"""What the page of a run shows, and what it leaves out."""

import json
from pathlib import Path

import pytest

from loadtests.measure.observed import summarize_waits
from loadtests.measure.waits import Waits
from loadtests.report.plot_list import PLOTS
from loadtests.report.report import write_report
from loadtests.thresholds import DEFAULT, Judged, judge, load_thresholds
from tests.loadtests.made import record, sample, summary

WATCHED = tuple(sample(at, busy=1, waiting=0, cpu=at * 0.1) for at in range(60))
TIMELINES = {"throughput-latency", "outcomes", "queues", "slots", "memory", "cpu"}


def test_the_report_holds_everything_in_one_file(tmp_path: Path) -> None:
    run = summary([record(number, 5.0) for number in range(60)], samples=WATCHED)
    read = Waits({"workflow": 0.1}, {}, {"upload_to_azure": 1.0}, 0.2)
    run["waits"] = summarize_waits({"w1": read}, 60)
    page = write_report(tmp_path, run, [Judged("transaction p95", 1, 5, kept=False)])
    text = page.read_text()
    assert text.count("<svg") == len(PLOTS) == 9
    assert text.count("end of arrivals") == len(TIMELINES)
    assert "<script" not in text
    assert "src=" not in text
    assert "Failed" in text
    assert "Not drawn" not in text
    assert {path.stem for path in tmp_path.glob("*.png")} == set(PLOTS)
    assert json.loads((tmp_path / "report.json").read_text())["passed"] is False


@pytest.fixture(scope="module")
def unwatched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of 60 try-ons of which nothing else is known, made where an earlier run left a plot."""
    folder = tmp_path_factory.mktemp("report")
    (folder / "queues.png").write_text("of an earlier run")
    write_report(folder, summary([record(number, 5.0) for number in range(60)]), [])
    return folder


def test_what_was_not_measured_is_left_out_with_the_option_that_gives_it(unwatched: Path) -> None:
    text = (unwatched / "report.html").read_text()
    assert {path.stem for path in unwatched.glob("*.png")} == {
        "throughput-latency",
        "throughput-against-latency",
        "outcomes",
        "percentiles",
    }
    assert "Queue depth of each service: no fake was watched; --fake SERVICE=URL" in text
    assert "time went: no history in Temporal was read; --temporal HOST:PORT" in text
    assert "Memory of worker and gateway: the processes of a deployment cannot be seen" in text
    assert "Nobody watched the stream of events" in text


@pytest.mark.parametrize("outcome", ["censored", "dropped", "not started", "refused"])
def test_a_run_in_which_nothing_completed_has_a_report_too(tmp_path: Path, outcome: str) -> None:
    records = [record(number, 1.0 if outcome == "refused" else None, outcome=outcome) for number in range(3)]
    run = summary(records)
    text = write_report(tmp_path, run, judge(load_thresholds(DEFAULT), run)).read_text()
    assert "Throughput against latency: no try-on completed." in text
    assert outcome in text


def test_try_ons_lead_to_temporal_where_its_page_is_known(unwatched: Path, tmp_path: Path) -> None:
    unknown = (unwatched / "report.html").read_text()
    assert "<code>w" in unknown
    assert "<a href" not in unknown
    run = summary([record(1, 5.0, outcome="failed"), record(2, 5.0)])
    run["temporal"] = {"namespace": "shop", "ui": "https://temporal.example"}
    text = write_report(tmp_path, run, []).read_text()
    assert '<a href="https://temporal.example/namespaces/shop/workflows/w1">' in text
    assert '<a href="https://temporal.example/namespaces/shop/workflows/w2">' in text


def test_that_a_p99_of_few_is_the_slowest_is_said(unwatched: Path) -> None:
    assert "Of 60 try-ons the p99 is the slowest one" in (unwatched / "report.html").read_text()
