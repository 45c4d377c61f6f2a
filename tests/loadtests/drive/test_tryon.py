"""A try-on's transaction against a scripted gateway, in virtual time: no sleep, no network."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from loadtests.drive.tryon import Answer, live, rules
from loadtests.mix import Case, Entry
from loadtests.record import Record
from scenarios.scenario import Expect, Scenario, rule

Script = Callable[[str, str, float], tuple[int, dict[str, Any], float]]


class Gateway:
    """Answers by a script of (method, path, time) -> (status, body, seconds)."""

    def __init__(self, script: Script, stream: list[tuple[float, str]] | None = None) -> None:
        self.time = 1000.0
        self.asked: list[str] = []
        self._script = script
        self._stream = stream

    def send(self, method: str, path: str, name: str, body: bytes = b"", key: str | None = None) -> Answer:
        del name, body, key
        self.asked.append(f"{method} {path}")
        status, fields, seconds = self._script(method, path, self.time)
        self.time += seconds
        return Answer(status, json.dumps(fields).encode(), seconds)

    def events(self, path: str, name: str) -> Iterator[str]:
        del name
        self.asked.append(f"EVENTS {path}")
        if self._stream is None:
            raise ConnectionError
        for at, line in self._stream:
            self.time = max(self.time, at)
            yield line

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


def case(follow: str = "poll", expect: Expect | None = None, **more: Any) -> Case:
    scenario = Scenario(name="story", story="A story.", theme="test", expect=expect or Expect())
    return Case(scenario, Entry.model_validate({"scenario": "story", "weight": 1, "follow": follow, **more}))


def script(ends_at: float, last: dict[str, Any]) -> Script:
    def answer(method: str, path: str, now: float) -> tuple[int, dict[str, Any], float]:
        if path == "/workflow/start":
            return 202, {"workflowId": "W", "status": "RUNNING"}, 0.25
        if method == "POST":
            return 200, {"workflowId": "W", "status": "CANCELLED"}, 0.01
        if now >= ends_at:
            return 200, last, 0.05
        return 200, {"status": "RUNNING", "progress": 20, "currentStep": "CHECKING_ZOOM"}, 0.02

    return answer


COMPLETED = {"status": "COMPLETED", "result": {}}


def lived(gateway: Gateway, lived_case: Case, *, late: float = 0.0, patience: float = 100) -> Record:
    record = Record(1, lived_case.name, intended=gateway.time - late)
    live(gateway, lived_case, record, "key", patience)
    return record


def test_a_completed_try_on_is_counted_from_its_intended_start_to_the_result() -> None:
    record = lived(Gateway(script(1010, COMPLETED)), case(), late=3)
    assert (record.outcome, record.right, record.workflow_id) == ("completed", True, "W")
    assert record.started == 1000
    assert record.requests["start"] == [0.25]
    assert record.accepted == 1000.25
    assert record.seconds == pytest.approx(3 + 10.5, abs=1)
    assert len(record.requests["status"]) == 11
    assert record.steps == {}  # polls see a step up to a second late; only the stream tells when it began


def test_an_impatient_user_asks_five_times_as_often() -> None:
    patient = lived(Gateway(script(1010, COMPLETED)), case())
    impatient = lived(Gateway(script(1010, COMPLETED)), case("impatient"))
    assert len(impatient.requests["status"]) > 4 * len(patient.requests["status"])


def test_long_polls_are_not_taken_for_slow_status_calls() -> None:
    gateway = Gateway(script(1000, COMPLETED))
    record = lived(gateway, case("wait"))
    assert gateway.asked[-1] == "GET /workflow/W?wait=20"
    assert record.requests.keys() == {"start", "long poll"}
    assert len(record.requests["long poll"]) == 1


def test_a_watcher_follows_the_stream_and_fetches_the_result_once() -> None:
    stream = [
        (1002.0, 'data: {"status": "RUNNING", "currentStep": "GENERATING_IMAGES"}'),
        (1005.0, ""),
        (1006.0, 'data: {"status": "COMPLETED"}'),
    ]
    gateway = Gateway(script(1006, COMPLETED), stream)
    record = lived(gateway, case("events"))
    assert gateway.asked == ["POST /workflow/start", "EVENTS /workflow/W/events", "GET /workflow/W"]
    assert record.outcome == "completed"
    assert record.requests["events"] == [pytest.approx(1.75)]
    assert not record.failures
    assert record.steps["GENERATING_IMAGES"] == 2


def test_a_stream_that_breaks_off_is_followed_by_polls() -> None:
    record = lived(Gateway(script(1004, COMPLETED)), case("events"))
    assert (record.outcome, record.failures) == ("completed", {"events": 1})


REFUSED = Expect(status="REFUSED", http_status=422, code="VALIDATION_FAILED")
A100_GONE = Expect(status="FAILED", code="A100_UNAVAILABLE", failed_step="GENERATING_IMAGES")


@pytest.mark.parametrize(
    ("expect", "code", "right"),
    [
        (Expect(), "A100_UNAVAILABLE", False),
        (A100_GONE, "A100_UNAVAILABLE", True),
        (A100_GONE, "TIMEOUT", False),
        (REFUSED, "VALIDATION_FAILED", False),
        (Expect(status=None), "TIMEOUT", True),
    ],
)
def test_a_failure_is_right_only_when_the_scenario_says_so(expect: Expect, code: str, right: bool) -> None:
    last = {"status": "FAILED", "error": {"code": code}}
    record = lived(Gateway(script(1001, last)), case(expect=expect))
    assert (record.outcome, record.code, record.right) == ("failed", code, right)


@pytest.mark.parametrize("expect", [Expect(), A100_GONE, Expect(status=None)])
@pytest.mark.parametrize(
    ("status", "body", "outcome", "code"),
    [
        (422, {"error": {"code": "VALIDATION_FAILED"}}, "refused", "VALIDATION_FAILED"),
        (429, {}, "refused", "429"),
        (503, {"error": "A100_UNAVAILABLE"}, "failed", "503"),
        (500, {"error": {"code": "A100_UNAVAILABLE"}}, "failed", "A100_UNAVAILABLE"),
        (0, {}, "failed", "no answer"),
    ],
)
def test_a_start_that_is_refused_or_broken_ends_the_try_on_and_is_no_expected_failure(
    expect: Expect, status: int, body: dict[str, Any], outcome: str, code: str
) -> None:
    record = lived(Gateway(lambda *_: (status, body, 0.1)), case(expect=expect))
    assert (record.outcome, record.code, record.right) == (outcome, code, False)
    assert record.accepted is None
    assert record.ended is not None


@pytest.mark.parametrize(("code", "right"), [("VALIDATION_FAILED", True), ("PAYLOAD_TOO_LARGE", False)])
def test_a_refusal_is_right_where_it_is_expected_with_its_code(code: str, right: bool) -> None:
    record = lived(Gateway(lambda *_: (422, {"error": {"code": code}}, 0.1)), case(expect=REFUSED))
    assert (record.outcome, record.right) == ("refused", right)


def test_a_try_on_that_completes_without_a_result_is_not_right() -> None:
    record = lived(Gateway(script(1001, {"status": "COMPLETED"})), case())
    assert (record.outcome, record.code, record.right) == ("completed", "no result", False)


def test_one_that_never_ends_is_a_timeout_after_the_patience() -> None:
    record = lived(Gateway(script(float("inf"), COMPLETED)), case(), patience=30)
    assert record.outcome == "timeout"
    assert record.seconds == pytest.approx(30, abs=2)


def test_status_calls_that_fail_are_counted_and_asked_again() -> None:
    def flaky(method: str, path: str, now: float) -> tuple[int, dict[str, Any], float]:
        return (503, {}, 0.5) if method == "GET" and now < 1005 else script(1006, COMPLETED)(method, path, now)

    record = lived(Gateway(flaky), case())
    assert (record.outcome, record.failures) == ("completed", {"status": 4})
    assert record.requests["status"][:4] == [0.5] * 4  # a call that fails after long has taken long


def test_a_cancel_is_a_request_like_any_other() -> None:
    def refuses(method: str, path: str, now: float) -> tuple[int, dict[str, Any], float]:
        return (500, {}, 0.3) if path.endswith("/cancel") else script(1003, COMPLETED)(method, path, now)

    record = lived(Gateway(refuses), case(cancel_after_s=2))
    assert (record.requests["cancel"], record.failures) == ([0.3], {"cancel": 1})
    assert not record.right


def test_a_cancel_that_came_too_late_is_right() -> None:
    def late(method: str, path: str, now: float) -> tuple[int, dict[str, Any], float]:
        return (409, {}, 0.3) if path.endswith("/cancel") else script(1001, COMPLETED)(method, path, now)

    record = lived(Gateway(late), case(cancel_after_s=2))
    assert (record.outcome, record.right, record.failures) == ("completed", True, {})


def test_a_user_who_gives_up_cancels_and_sees_the_end() -> None:
    gateway = Gateway(script(1003, {"status": "CANCELLED"}))
    record = lived(gateway, case(cancel_after_s=2))
    assert "POST /workflow/W/cancel" in gateway.asked
    assert (record.outcome, record.right) == ("cancelled", True)


def test_faults_are_set_for_one_workflow_and_taken_away_even_after_a_crash() -> None:
    made: list[tuple[str, dict[str, Any]]] = []
    dropped: list[tuple[str, str]] = []
    faulty = Case(
        Scenario(
            name="f", story="F.", theme="t", expect=Expect(), rules=(rule("sam3", "submit", "status", status=503),)
        ),
        Entry(scenario="f", weight=1),
    )

    def live_and_crash() -> None:
        with rules(faulty, "W", lambda *r: made.append(r), lambda *r: dropped.append(r)):
            assert made[0][0] == "sam3"
            assert made[0][1]["key"] == "W"
            raise RuntimeError

    with pytest.raises(RuntimeError):
        live_and_crash()
    assert dropped == [("sam3", made[0][1]["id"])]
