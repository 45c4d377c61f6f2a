import gzip
import json
from collections import Counter
from pathlib import Path

import httpx
import pytest
import yaml
from fastapi import FastAPI, Response

from fakes import a100, sam3
from fakes.kit.calls import Operation
from fakes.kit.faults.http import Status
from fakes.kit.ledger import Entry
from fakes.kit.rulebook import RuleBook
from fakes.kit.rules import read_rules, read_yaml
from fakes.kit.serve import serving
from fakes.pictures import portrait
from fakes.profiles import read_profile
from fakes.settings import ServiceSettings
from fakes.storage.store import open_store
from fakes.tools.recording import main, recorder, replay


def call(operation: str, status: int = 200, seconds: float = 1.0, **more: object) -> dict[str, object]:
    return {"operation": operation, "status": status, "seconds": seconds, "fields": {}} | more


async def test_what_goes_through_the_recorder_is_written_down_without_any_value(
    settings: ServiceSettings, tmp_path: Path
) -> None:
    out = tmp_path / "a100.jsonl"
    async with (
        serving(a100.create_app(settings)) as target,
        serving(recorder("a100", target, out)) as url,
        httpx.AsyncClient(base_url=url) as client,
    ):
        health = await client.get("/health", headers={"Authorization": "Bearer secret"})
        refused = await client.post("/generate", json={"image_uri": "azure://secret-container/x.jpg"})
        await client.get("/other")
    assert health.json() == {"status": "online", "gpu_memory_free": 40000}
    assert refused.status_code == 422
    first, second = [json.loads(line) for line in out.read_text().splitlines()]
    assert first["operation"] == "health"
    assert first["fields"] == {"status": "str", "gpu_memory_free": "int"}
    assert (second["operation"], second["status"]) == ("generate", 422)
    assert "secret" not in out.read_text()
    assert "127.0.0.1" not in out.read_text()


async def test_the_pipeline_gets_the_headers_of_the_service(tmp_path: Path) -> None:
    """A 429's Retry-After above all; but not those of the connection, nor of the packing, which is undone."""
    service = FastAPI()

    @service.get("/health")
    async def health() -> Response:
        answer = Response(gzip.compress(b"busy"), 429, {"Retry-After": "7", "Content-Encoding": "gzip"}, "text/x-own")
        answer.headers.append("Set-Cookie", "a=1")
        answer.headers.append("Set-Cookie", "b=2")
        return answer

    async with (
        serving(service) as target,
        serving(recorder("a100", target, tmp_path / "a100.jsonl")) as url,
        httpx.AsyncClient(base_url=url, trust_env=False) as client,
    ):
        got = await client.get("/health")
    assert (got.status_code, got.text, got.headers["retry-after"]) == (429, "busy", "7")
    assert got.headers["content-type"].startswith("text/x-own")
    assert got.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert "content-encoding" not in got.headers
    assert len(got.headers.get_list("content-length")) == 1


async def test_a_job_lasts_from_its_submit_to_the_poll_that_says_so(settings: ServiceSettings, tmp_path: Path) -> None:
    out = tmp_path / "sam3.jsonl"
    async with open_store(settings) as store:
        await store.put("azure://jewelry-uploads/recorded.jpg", portrait(60, 80, seed=1))
    body = {"image_uri": "azure://jewelry-uploads/recorded.jpg", "points": [[0.5, 0.6]], "labels": [1]}
    async with (
        serving(sam3.create_app(settings)) as target,
        serving(recorder("sam3", target, out)) as url,
        httpx.AsyncClient(base_url=url) as client,
    ):
        job_id = (await client.post("/jobs", json=body)).json()["job_id"]
        assert (await client.get(f"/jobs/{job_id}")).json()["status"] == "completed"
    poll = json.loads(out.read_text().splitlines()[1])
    assert poll["job"] == "completed"
    assert 0 <= poll["job_seconds"] < 30


async def test_a_service_that_is_gone_is_a_502_in_the_recording(tmp_path: Path) -> None:
    out = tmp_path / "a100.jsonl"
    async with (
        serving(recorder("a100", "http://127.0.0.1:1", out)) as url,
        httpx.AsyncClient(base_url=url) as client,
    ):
        assert (await client.get("/health")).status_code == 502
    assert json.loads(out.read_text())["status"] == 502


def test_a_recording_becomes_latencies_and_rules() -> None:
    calls = [call("generate", seconds=seconds) for seconds in (20, 30, 25, 22, 40)]
    calls += [call("generate", 503, 0.1)] * 5 + [call("health", seconds=0.02)] * 2
    profile, rules = replay("a100", calls)
    assert profile["latency"] == {"generate": {"samples": [20, 22, 25, 30, 40]}}
    assert [(rule["operation"], rule["p"], rule["fault"]["status"]) for rule in rules] == [("generate", 0.5, 503)]


def test_statuses_are_replayed_in_the_shares_in_which_they_came() -> None:
    """Rules draw one after the other: the second one is asked only about what the first one let pass."""
    shares = {429: 0.1, 500: 0.25, 503: 0.35}
    calls = [call("generate", status) for status, share in shares.items() for _ in range(round(share * 100))]
    calls += [call("generate")] * 30
    _, rules = replay("a100", calls)
    book = RuleBook("a100", lambda: [Operation("generate", "POST", "/")], 1, keyed_refusal=False)
    book.load(read_rules(rules), 0)
    entries = [Entry("a100", "generate", f"w{number}", 1, 1, 0, 0, 0) for number in range(10_000)]
    drawn = Counter(hit.fault.status for entry in entries for hit in book.match(entry) if isinstance(hit.fault, Status))
    assert {status: count / len(entries) for status, count in drawn.items()} == pytest.approx(shares, abs=0.02)


def test_a_service_that_only_failed_fails_always() -> None:
    _, rules = replay("a100", [call("generate", status) for status in (500, 502, 503)])
    assert [rule["p"] for rule in rules] == [pytest.approx(1 / 3, abs=1e-4), 0.5, 1]


def test_jobs_give_the_service_time_of_their_submit_and_the_share_that_fails() -> None:
    calls = [call("submit", seconds=0.1)] * 6
    calls += [call("poll", seconds=0.05, job="completed", job_seconds=float(n)) for n in range(5, 10)]
    calls += [call("poll", seconds=0.05, job="failed", job_seconds=3.0)]
    profile, rules = replay("sam3", calls)
    assert profile["latency"]["submit"] == {"samples": [5.0, 6.0, 7.0, 8.0, 9.0]}
    [rule] = rules
    assert rule["fault"] == {"kind": "job_failed"}
    assert rule["p"] == pytest.approx(1 / 6, abs=1e-4)


def test_the_files_are_what_a_fake_starts_with(tmp_path: Path) -> None:
    recording = tmp_path / "a100.jsonl"
    recording.write_text("".join(json.dumps(call("generate", seconds=n)) + "\n" for n in range(1, 7)))
    words = ["profile", str(recording), "--service", "a100"]
    assert main([*words, "--profile", str(tmp_path / "p.yaml"), "--rules", str(tmp_path / "r.yaml")]) == 0
    profile = read_profile(read_yaml(str(tmp_path / "p.yaml")), "a100")
    assert profile.latency["generate"].samples == [1, 2, 3, 4, 5, 6]
    assert read_rules(yaml.safe_load((tmp_path / "r.yaml").read_text())) == []


def test_a_file_that_is_no_recording_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x").write_text("no json")
    words = ["profile", str(tmp_path / "x"), "--service", "a100"]
    assert main([*words, "--profile", str(tmp_path / "p"), "--rules", str(tmp_path / "r")]) == 2
    assert "cannot be used" in capsys.readouterr().err
