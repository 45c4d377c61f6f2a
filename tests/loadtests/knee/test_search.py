"""The way up to the knee, what it says of it, and the page: from figures, without a stack."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loadtests.knee.model import Foresight
from loadtests.knee.report import write_page
from loadtests.knee.search import Foreseen, Knee, Proof, Rate, climb, foresee, longest_waits, told
from loadtests.knee.sizing import Demand, Station, slots_for
from loadtests.measure.bottleneck import Evidence
from loadtests.thresholds import Judged, Thresholds

A100 = Station("a100", (Demand(1.0, (1.0,)),), slots=1)
LIMITS = Thresholds.model_validate({"transaction": {"p95_s": 6}})
FORESIGHT = Foresight(A100, 60, 2.0, LIMITS)


def step(rate: float, *broken: str, p95: float = 4.0) -> Rate:
    """A rate that kept its thresholds, but for those named."""
    judged = [Judged(name, 6, p95, name not in broken) for name in ("transaction p95", "status p99")]
    slots = Evidence("slots of a100", 0.9 if broken else 0.4, "1 slot")
    figures = {"p50_s": 2.5, "p95_s": p95, "p99_s": p95 + 1}
    return Rate(rate, f"rate-{rate:.3f}", figures, rate, judged, [slots], "The bottleneck: slots of a100 (1 slot).")


def knee(*steps: Rate, foreseen: float = 0.8, proof: Proof | None = None) -> Knee:
    needs = [slots_for(rate, A100, {95: 3.0}) for rate in (1, 5)]
    return Knee(60, 1, [A100], list(steps), FORESIGHT, Foreseen(foreseen, 0.7, 0.9, 0.6), proof, needs)


FOUND = knee(
    step(0.4),
    step(0.72),
    step(0.78, "status p99", p95=7.0),
    proof=Proof(2, replace(step(0.78), folder="rate-0.780-2-slots")),
)


@pytest.mark.parametrize("broken_from", [0.5, 0.75, 1.3])
async def test_the_way_up_ends_within_a_tenth_of_where_a_threshold_breaks(broken_from: float) -> None:
    async def measure(rate: float) -> Rate:
        return step(rate, *(["transaction p95"] if rate >= broken_from else []))

    found = knee(*await climb(measure, step(0.4), factor=1.4, most=12))
    assert found.rate is not None
    assert found.over is not None
    assert found.good < broken_from <= found.over.rate < 1.1 * found.good
    assert found.good < found.rate < found.over.rate


async def test_the_way_up_takes_no_more_steps_than_it_may() -> None:
    async def measure(rate: float) -> Rate:
        return step(rate, *(["transaction p95"] if rate > 1 else []))

    steps = await climb(measure, step(0.4), factor=1.4, most=4)
    assert len(steps) == 4
    assert knee(*steps).rate is None  # it broke, but is not narrowed down
    assert knee(*steps[:2]).over is None


def test_a_knee_passes_where_it_was_foreseen_and_more_slots_helped() -> None:
    assert FOUND.passed
    assert FOUND.rate == pytest.approx((0.72 * 0.78) ** 0.5)
    assert not replace(FOUND, foreseen=replace(FOUND.foreseen, knee=0.6)).passed
    assert not replace(FOUND, foreseen=replace(FOUND.foreseen, knee=0.95)).passed
    assert not replace(FOUND, proof=Proof(2, step(0.78, "transaction p95"))).passed
    assert replace(FOUND, proof=Proof(80, None, "there are no places")).passed
    assert not replace(FOUND, proof=None).passed


def test_any_threshold_makes_a_knee_and_is_named() -> None:
    assert FOUND.over is not None
    assert [told(item) for item in FOUND.over.broken] == ["status p99 7 s (threshold 6 s)"]
    assert told(Judged("wrong share", 0.01, 0.25, kept=False)) == "wrong share 0.250 (threshold 0.010)"


def test_a_knee_at_which_the_slots_were_free_is_doubted(tmp_path: Path) -> None:
    assert FOUND.over is not None
    assert FOUND.doubt == ""
    free = replace(FOUND.over, evidence=[Evidence("the machine's 2 CPUs", 1, ""), Evidence("slots of a100", 0.5, "")])
    doubted = replace(FOUND, steps=[*FOUND.steps[:2], free])
    assert "its slots were not short (50% in use): something else broke the threshold" in doubted.doubt
    assert "its slots were not short" in write_page(tmp_path, doubted, A100).read_text()
    places = Evidence("places for calls to the A100 (A100_MAX_CONCURRENT)", 0.9, "", enough=0.5, symptom=True)
    assert replace(FOUND, steps=[*FOUND.steps[:2], replace(free, evidence=[*free.evidence, places])]).doubt == ""


def test_what_a_try_on_spends_elsewhere_is_what_the_queue_does_not_explain() -> None:
    assert foresee(step(0.1), A100, LIMITS, seconds=60, seed=1).elsewhere == pytest.approx(1.5)


def test_the_longest_waits_are_what_the_thresholds_leave() -> None:
    assert longest_waits(FORESIGHT) == {95: 3}
    assert longest_waits(replace(FORESIGHT, limits=Thresholds(throughput_share=0.9))) == {95: 1}


def test_the_page_holds_the_verdict_the_curve_the_evidence_and_links_to_every_report(tmp_path: Path) -> None:
    page = write_page(tmp_path, FOUND, A100)
    text = page.read_text()
    assert text.count("<svg") == 1
    assert "<script" not in text
    assert "src=" not in text
    for words in (
        "0.75 try-ons/s",
        "status p99 7 s (threshold 6 s)",
        "as foreseen",
        "0.70&thinsp;&ndash;&thinsp;0.90/s",
        "slots of a100",
    ):
        assert words in text
    for folder in ("rate-0.400", "rate-0.720", "rate-0.780", "rate-0.780-2-slots"):
        assert f'href="{folder}/report.html"' in text
    assert (tmp_path / "knee.png").stat().st_size > 10_000
    figures: dict[str, Any] = json.loads((tmp_path / "knee.json").read_text())
    assert figures["between"] == [0.72, 0.78]
    assert figures["broken"] == ["status p99"]
    assert figures["foreseen"] == {"knee": 0.8, "low": 0.7, "high": 0.9, "lasting": 0.6}
    assert [each["rate"] for each in figures["slots_needed"]] == [1, 5]


def test_a_knee_that_was_not_found_has_a_page_that_says_so(tmp_path: Path) -> None:
    text = write_page(tmp_path, knee(step(0.4), step(0.5)), A100).read_text()
    assert "The knee: <strong>not found</strong>" in text
    assert "Every rate up to 0.50/s kept the thresholds" in text
    text = write_page(tmp_path, knee(step(0.4), step(0.9, "transaction p95", p95=9)), A100).read_text()
    assert "The knee is between them" in text
