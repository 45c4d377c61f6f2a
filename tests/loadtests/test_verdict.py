"""Records to a summary and a verdict, without a stack."""

import json
from pathlib import Path
from typing import Any

import pytest

from fakes.kit.client import LedgerCall
from loadtests.measure.bottleneck import evidence, verdict
from loadtests.measure.summary import Outcome, read_records, summarize
from loadtests.report.plots import COLOURS
from loadtests.thresholds import DEFAULT, Thresholds, ThresholdsError, judge, load_thresholds
from tests.loadtests.made import PLAN, record, sample, summary


def broken(of: dict[str, Any], thresholds: Thresholds | None = None) -> set[str]:
    return {item.name for item in judge(thresholds or load_thresholds(DEFAULT), of) if not item.kept}


def test_a_good_run_breaks_nothing() -> None:
    good = summary([record(number, 5.0) for number in range(60)])
    assert broken(good) == set()
    assert good["transaction"]["p95_s"] == pytest.approx(5, rel=1e-3)
    assert good["throughput"] == pytest.approx(56 / 60)


def test_censored_tries_break_the_verdict_and_are_no_fast_successes() -> None:
    run = summary([record(number, 5.0) for number in range(50)] + [record(50 + number, None) for number in range(10)])
    assert {"censored share", "throughput share"} <= broken(run)
    assert run["transaction"]["count"] == 50
    assert run["outcomes"] == {"completed": 50, "censored": 10}
    assert run["wrong_share"] == 0


def test_dropped_arrivals_break_the_verdict() -> None:
    run = summary([record(number, 5.0) for number in range(60)] + [record(60, None, outcome="dropped")])
    assert broken(run) == {"dropped share"}
    assert run["arrived"] == 61
    assert run["outcomes"] == {"completed": 60, "dropped": 1}


def test_a_try_on_that_could_not_be_started_is_wrong() -> None:
    run = summary([record(number, 5.0) for number in range(60)] + [record(60, None, outcome="not started")])
    assert broken(run) == {"wrong share"}
    assert run["censored_share"] == 0


def test_the_slowest_and_every_wrong_one_are_named() -> None:
    records = [record(number, 5.0 + number / 100) for number in range(50)]
    records += [record(50, 2.0, outcome="failed"), record(51, None), record(52, None, outcome="dropped")]
    records[50].code = "A100_UNAVAILABLE"
    run = summary(records)
    assert [each["workflow_id"] for each in run["slowest"]] == ["w49", "w48", "w47", "w46", "w45"]
    (wrong,) = run["wrong"]
    assert (wrong["workflow_id"], wrong["outcome"], wrong["code"], wrong["at"]) == (
        "w50",
        "failed",
        "A100_UNAVAILABLE",
        50,
    )
    assert run["wrong_count"] == 1


def test_the_timeline_tells_an_expected_failure_from_one_that_is_none() -> None:
    expected, silent = record(0, 5.0, outcome="failed"), record(1, 5.0)
    expected.right, silent.right = True, False
    run = summary([expected, silent, record(2, 5.0, outcome="failed"), record(3, 5.0)])
    names = {name for part in run["timeline"] for name in part["became"]}
    assert names == {"failed as expected", "completed, but wrong", "failed", "completed"}
    assert names <= COLOURS.keys()


def test_a_step_lasts_until_the_next_one_or_the_end() -> None:
    made = record(0, 9.0)
    made.steps = {"UPLOADING_IMAGE": 0.5, "GENERATING_MASK": 2.0}
    late = record(1, 5.0)  # its watcher came late
    late.steps = {"GENERATING_MASK": 0.0}
    steps = summary([late, made, record(2, 5.0)])["steps"]
    assert list(steps) == ["UPLOADING_IMAGE", "GENERATING_MASK"]
    assert {step: part["p50_s"] for step, part in steps.items()} == pytest.approx(
        {"UPLOADING_IMAGE": 1.5, "GENERATING_MASK": 5.0}, rel=1e-2
    )


def test_every_arrival_and_every_end_is_in_the_timeline() -> None:
    records = [record(number, 5.0) for number in range(56)]
    records += [record(56, None, outcome="dropped"), record(57, None, outcome="not started"), record(58, None)]
    records += [record(59, 1.0, outcome="failed")]
    run = summary(records)
    width = run["seconds"] / len(run["timeline"])
    assert sum(part["arrived"] for part in run["timeline"]) * width == pytest.approx(60)
    assert sum(part["completed"] for part in run["timeline"]) * width == pytest.approx(56)
    became = dict.fromkeys(run["outcomes"], 0.0)
    for part in run["timeline"]:
        for name, rate in part["became"].items():
            became[name] += rate * width
    assert became == pytest.approx(run["outcomes"])
    assert run["timeline"][-1]["in_flight"] == 3  # the censored one, and two that end with the run
    assert run["timeline"][6]["in_flight"] == 5
    assert len(run["timeline"]) == 15


def test_failures_and_a_slow_tail_break_what_they_should() -> None:
    assert broken(summary([record(n, 5.0, outcome="failed" if n < 3 else "completed") for n in range(60)])) == {
        "wrong share"
    }
    assert broken(summary([record(n, 40.0 if n < 6 else 5.0) for n in range(60)])) >= {"transaction p95"}


def test_status_calls_that_fail_break_the_verdict_though_every_try_on_is_right() -> None:
    records = [record(number, 5.0) for number in range(60)]
    for each in records[:30]:
        each.requests["status"], each.failures = [0.01, 10.0], {"status": 1}
    run = summary(records)
    assert broken(run) == {"status error share", "status p95", "status p99"}
    assert run["status_error_share"] == pytest.approx(30 / 120)
    assert run["requests"]["status"]["failures"] == 30
    assert run["requests"]["start"]["rate"] == pytest.approx(60 / 64)


@pytest.mark.parametrize(("overload", "kept"), [(0.0, True), (0.08, True), (0.2, False), (0.25, False), (0.5, False)])
def test_a_backlog_shows_in_the_throughput_and_does_not_lengthen_its_own_deadline(overload: float, kept: bool) -> None:
    run = summary([record(number, 2.0 + number * overload) for number in range(60)])
    assert (run["throughput_share"] >= load_thresholds(DEFAULT).throughput_share) is kept


def test_the_throughput_is_what_completed_while_try_ons_arrived_and_can_have_a_threshold() -> None:
    records = [record(number, 5.0) for number in range(59)] + [record(59, 200.0)]
    run = summary(records)
    assert run["throughput"] == pytest.approx(56 / 60)  # one straggler does not spread it over 260 s
    assert broken(run, Thresholds(throughput=0.9)) == set()
    assert broken(run, Thresholds(throughput=0.95)) == {"throughput"}


def call(took: float | None, intended: float) -> LedgerCall:
    return LedgerCall(
        service="a100",
        operation="generate",
        key="w",
        call=1,
        attempt=1,
        at=1001.0,
        caller_time=1001.0,
        rule=None,
        fault=None,
        status=200,
        duration_s=took,
        intended_s=intended,
        sent=None,
        answered=None,
    )


def test_fakes_that_lag_break_the_verdict_and_none_at_all_do_not() -> None:
    outcome = Outcome([record(number, 5.0) for number in range(60)], 1000.0, [])
    quick = summarize(PLAN, outcome, ledgers={"a100": [call(2.1, 2.0), call(1.0, 1.5), call(None, 3.0)] * 60})
    assert quick["fakes"]["share"] == pytest.approx(6 / 300)
    assert broken(quick) == set()
    lagging = summarize(PLAN, outcome, ledgers={"a100": [call(3.5, 2.0)] * 60})
    assert lagging["fakes"]["share"] == pytest.approx(0.3)
    assert broken(lagging) == {"fakes share"}
    assert "fakes share" not in {item.name for item in judge(load_thresholds(DEFAULT), summary(outcome.records))}


def test_a_threshold_on_what_was_not_measured_is_broken() -> None:
    limits = Thresholds.model_validate({"transaction": {"p95_s": 1}})
    assert broken(summary([record(1, None)]), limits) == {"transaction p95", "censored share"}


@pytest.mark.parametrize(
    ("text", "message"),
    [("transaction: {p95: 1}", "transaction.p95"), ("wrong_share: 2", "wrong_share"), ("a: [", "no YAML")],
)
def test_a_wrong_thresholds_file_says_what_is_wrong(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "t.yaml"
    path.write_text(text)
    with pytest.raises(ThresholdsError, match=message):
        load_thresholds(path)


def test_the_bottleneck_is_named_by_evidence() -> None:
    busy = tuple(sample(at, busy=1, waiting=at // 10, cpu=at * 0.1) for at in range(60))
    run = summary([record(number, 5.0) for number in range(60)], samples=busy)
    assert verdict(run).startswith("The bottleneck: slots of a100 (1 slot, 100% busy")
    idle = tuple(sample(at, busy=at % 2, waiting=0, cpu=at * 0.1) for at in range(60))
    run = summary([record(number, 5.0) for number in range(60)], samples=idle)
    assert verdict(run).startswith("No resource was the bottleneck; the busiest: slots of a100")
    assert {item.name for item in evidence(run)} >= {"CPU of the worker"}


def test_records_of_a_run_that_broke_off_or_of_another_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    with pytest.raises(ValueError, match="cannot be read"):
        read_records(path, "this")
    path.write_text(record(1, 2.0).as_json() + "\n")
    with pytest.raises(ValueError, match="did not finish"):
        read_records(path, "this")
    path.write_text(record(1, 2.0).as_json()[:-5])
    with pytest.raises(ValueError, match="broken off"):
        read_records(path, "this")
    end = {"begun": 1000.0, "left_out": [], "complete": True, "run": "this", "stopped": None, "workers": []}
    path.write_text(record(1, 2.0).as_json() + "\n" + json.dumps(end) + "\n")
    outcome = read_records(path, "this")
    assert (outcome.records[0].seconds, outcome.begun) == (2.0, 1000.0)
    with pytest.raises(ValueError, match="another run"):
        read_records(path, "that")
