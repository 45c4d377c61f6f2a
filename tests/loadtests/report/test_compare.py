"""Two runs side by side."""

import json
from pathlib import Path
from typing import Any

import pytest

from loadtests.report import compare as compare_command
from tests.loadtests.made import record, summary


def reported(folder: Path, run: dict[str, Any]) -> None:
    folder.mkdir()
    (folder / "report.json").write_text(json.dumps(run))


def test_two_runs_are_compared_on_a_page_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, took in (("a", 5.0), ("b", 8.0)):
        reported(tmp_path / name, summary([record(number, took) for number in range(60)]))
    a, b, c = (str(tmp_path / name) for name in "abc")
    assert compare_command.main([a, b]) == 1
    assert "worse in transaction p50" in capsys.readouterr().out.splitlines()[-1]
    page = (tmp_path / "b" / "compare.html").read_text()
    assert "<strong>Worse</strong> in 3 of 14 figures" in page
    assert page.count("<svg") == 1
    assert "<td>5<td>8<td>1.60" in page
    assert "the loads differ" not in page
    assert compare_command.main([a, a, "--out", str(tmp_path / "page.html")]) == 0
    assert "<strong>Not worse</strong>" in (tmp_path / "page.html").read_text()
    assert compare_command.main([a, c]) == 2


def test_each_of_several_workers_is_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = summary([record(number, 5.0) for number in range(60)])
    cost = {"cpu_each_s": 0.1, "memory_peak": 2**20}
    reported(tmp_path / "a", run | {"processes": {"worker-1": cost, "worker-2": cost, "sam3": cost}})
    assert compare_command.main([str(tmp_path / "a"), str(tmp_path / "a")]) == 0
    said = capsys.readouterr().out
    assert "CPU of worker-1 a try-on" in said
    assert "memory of worker-2 at its peak" in said
    assert "sam3" not in said


def test_that_the_loads_differ_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = summary([record(number, 5.0) for number in range(60)])
    reported(tmp_path / "a", run)
    reported(tmp_path / "b", run | {"plan": run["plan"] | {"rate": 3.0}})
    assert compare_command.main([str(tmp_path / "a"), str(tmp_path / "b")]) == 0
    assert "the loads differ (rate)" in capsys.readouterr().out
    assert "the loads differ (rate)" in (tmp_path / "b" / "compare.html").read_text()


def test_a_page_that_cannot_be_written_is_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reported(tmp_path / "a", summary([record(number, 5.0) for number in range(60)]))
    assert (
        compare_command.main([str(tmp_path / "a"), str(tmp_path / "a"), "--out", str(tmp_path / "no" / "x.html")]) == 2
    )
    assert "No such file or directory" in capsys.readouterr().err


def test_a_percentile_that_is_measured_no_more_is_worse(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reported(tmp_path / "a", summary([record(number, 5.0) for number in range(60)]))
    silent = [record(number, 5.0) for number in range(60)]
    for each in silent:
        del each.requests["status"]
    reported(tmp_path / "b", summary(silent))
    assert compare_command.main([str(tmp_path / "a"), str(tmp_path / "b")]) == 1
    assert "worse in status p50, s, status p95, s, status p99, s" in capsys.readouterr().out
    assert compare_command.main([str(tmp_path / "b"), str(tmp_path / "a")]) == 0
