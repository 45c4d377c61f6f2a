"""A hit is a call in which a rule changed something: what matched and changed nothing did not fire."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from fakes import a100, pictures, sam3
from fakes.kit.client import AsyncControl, ControlError
from fakes.kit.serve import serving
from fakes.settings import ServiceSettings
from fakes.storage.store import open_store
from tests.fakes.kit.conftest import Toy, serve_toy

JOB_S = 30


@dataclass
class Masks:
    """The fake SAM3 whose jobs take 30 s of the caller's time."""

    http: httpx.AsyncClient
    control: AsyncControl
    key: str

    async def submit(self, blob: str = "") -> str:
        body = {"image_uri": f"azure://jewelry-uploads/{blob or self.key}.jpg", "points": [[0.5, 0.6]], "labels": [1]}
        return str((await self.http.post("/jobs", json=body, headers={"X-Sim-Time": "1000"})).json().get("job_id"))

    async def poll(self, job_id: str, after: float) -> httpx.Response:
        return await self.http.get(f"/jobs/{job_id}", headers={"X-Sim-Time": str(1000 + after)})

    async def hits(self) -> int:
        """How often the one rule fired, by its own count; what the ledger names must agree."""
        (rule,) = await self.control.rules()
        named = [call for call in await self.control.ledger() if call["rule"] == rule["id"] and call["fault"]]
        assert len(named) == rule["hits"]
        return int(rule["hits"])

    async def reason(self) -> str:
        """Why the one rule, which was expected, did not fire."""
        verdict = await self.control.verdict()
        assert verdict["verdict"] == "inconclusive"
        why: str = verdict["unmet"][0]["near_misses"][0]["why"][0]
        return why


@pytest.fixture
async def masks(settings: ServiceSettings, key: str) -> AsyncIterator[Masks]:
    settings = settings.model_copy(update={"sim_profile": f"{{latency: {{submit: {JOB_S}}}}}"})
    async with open_store(settings) as store:
        await store.put(f"azure://jewelry-uploads/{key}.jpg", pictures.portrait(64, 64, seed=1))
    async with (
        serving(sam3.create_app(settings)) as url,
        AsyncControl(url) as control,
        httpx.AsyncClient(base_url=url, headers={"X-Workflow-Id": key}, trust_env=False) as http,
    ):
        yield Masks(http, control, key)


@pytest.mark.parametrize(
    ("fault", "early", "late"),
    [
        ({"kind": "job_failed"}, 0, 1),
        ({"kind": "job_no_result"}, 0, 1),
        ({"kind": "job_foreign"}, 0, 1),
        ({"kind": "job_stuck"}, 0, 1),
        ({"kind": "job_lost", "seconds": 100}, 0, 0),
        ({"kind": "job_lost", "seconds": 10}, 0, 1),
        ({"kind": "job_unknown_status"}, 1, 2),
        ({"kind": "job_flapping", "period": 8, "status": "processing"}, 0, 1),
    ],
)
async def test_on_a_poll_it_fires_when_that_answer_is_another_one(
    masks: Masks, fault: dict[str, Any], early: int, late: int
) -> None:
    await masks.control.add({"operation": "poll", "expect": True, "fault": fault})
    job_id = await masks.submit()
    await masks.poll(job_id, 2)
    assert await masks.hits() == early
    if not early:
        assert await masks.reason() == f"it matched, and {fault['kind']} found nothing to change"
    await masks.poll(job_id, 40)
    assert await masks.hits() == late


@pytest.mark.parametrize(
    ("fault", "early", "late"),
    [
        ({"kind": "job_failed"}, 0, 1),
        ({"kind": "job_lost", "seconds": 35}, 0, 1),
        ({"kind": "job_lost", "seconds": 100}, 0, 0),
        ({"kind": "job_late", "seconds": 1}, 0, 0),
        ({"kind": "job_late", "seconds": 3}, 1, 1),
        ({"kind": "job_slow", "seconds": 35}, 1, 1),
        ({"kind": "job_slow", "seconds": 30}, 0, 0),
        ({"kind": "mask_empty"}, 0, 1),
        ({"kind": "mask_foreign"}, 0, 1),
    ],
)
async def test_on_a_submit_it_fires_when_a_poll_shows_it(
    masks: Masks, fault: dict[str, Any], early: int, late: int
) -> None:
    await masks.control.add({"operation": "submit", "expect": True, "fault": fault})
    job_id = await masks.submit()
    await masks.poll(job_id, 2)
    assert await masks.hits() == early
    for _ in range(2):
        await masks.poll(job_id, 40)
        assert await masks.hits() == late, "and once, however often it is shown"
    if not late:
        assert (await masks.reason()).startswith("it matched, and")


async def test_a_picture_that_was_never_made_is_no_hit(masks: Masks) -> None:
    await masks.control.add({"expect": True, "fault": {"kind": "mask_empty"}})
    job_id = await masks.submit("no-such-blob")
    assert (await masks.poll(job_id, 40)).json() == {"status": "failed"}
    assert await masks.hits() == 0
    assert (await masks.http.post("/jobs", json={})).status_code == 422
    assert await masks.hits() == 0


async def test_what_was_in_vain_leaves_max_hits_to_the_next_call(masks: Masks) -> None:
    await masks.control.add({"operation": "poll", "max_hits": 1, "fault": {"kind": "job_failed"}})
    job_id = await masks.submit()
    told = [(await masks.poll(job_id, after)).json()["status"] for after in (2, 40, 41)]
    assert told == ["processing", "failed", "completed"]


async def test_max_hits_counts_the_jobs_that_carry_it(masks: Masks) -> None:
    await masks.control.add({"operation": "submit", "max_hits": 1, "fault": {"kind": "job_failed"}})
    jobs = [await masks.submit(), await masks.submit()]
    assert [(await masks.poll(job_id, 40)).json()["status"] for job_id in jobs] == ["failed", "completed"]


@pytest.mark.parametrize("virtual", [False, True])
async def test_a_picture_in_the_answer_fires_at_once_if_it_is_another_one(
    settings: ServiceSettings, key: str, virtual: bool
) -> None:
    headers = {"X-Workflow-Id": key} | ({"X-Sim-Time": "1000"} if virtual else {})
    uri = f"azure://jewelry-uploads/{key}"
    async with (
        open_store(settings) as store,
        serving(a100.create_app(settings)) as url,
        AsyncControl(url) as control,
        httpx.AsyncClient(base_url=url, headers=headers, trust_env=False, timeout=20) as http,
    ):
        photo = await store.put(f"{uri}.jpg", pictures.portrait(64, 64, seed=1))
        full = pictures.full_mask(pictures.segment(await store.get(photo), [(0.5, 0.6)], [1]))
        mask = await store.put(f"{uri}-mask.png", full)
        await control.add({"id": "full", "operation": "refine_mask", "fault": {"kind": "mask_full"}})
        body = {"image_uri": photo, "mask_uri": mask}
        line = {"points": [[0.2, 0.2], [0.8, 0.8]], "mode": "remove", "size": 9}
        for strokes, hits in (([], 0), ([line], 1)):
            answer = await http.post("/refine_mask", json=body | {"strokes": strokes})
            assert answer.status_code == 200, answer.text
            assert [rule["hits"] for rule in await control.rules()] == [hits]
        await control.add({"id": "no-gemini", "operation": "generate", "fault": {"kind": "gemini_null"}})
        await http.post("/generate", json=body)
        assert [rule["hits"] for rule in await control.rules()] == [1, 1]


async def test_without_a_gemini_half_there_is_none_to_take_away(settings: ServiceSettings, key: str) -> None:
    settings = settings.model_copy(update={"a100_gemini": False})
    uri = f"azure://jewelry-uploads/{key}"
    async with (
        open_store(settings) as store,
        serving(a100.create_app(settings)) as url,
        AsyncControl(url) as control,
        httpx.AsyncClient(base_url=url, trust_env=False, timeout=20) as http,
    ):
        photo = await store.put(f"{uri}.jpg", pictures.portrait(64, 64, seed=1))
        mask = await store.put(f"{uri}-mask.png", pictures.segment(await store.get(photo), [(0.5, 0.6)], [1]))
        body = {"image_uri": photo, "mask_uri": mask}
        for fault in ({"kind": "gemini_null"}, {"kind": "null_field", "field": "result_gemini_base64"}):
            await control.add({"id": "one", "fault": fault})
            await http.post("/generate", json=body)
            assert [rule["hits"] for rule in await control.rules()] == [0], fault


@pytest.mark.parametrize(
    "fault", [{"kind": "truncate"}, {"kind": "garbage"}, {"kind": "dribble"}, {"kind": "delay", "seconds": 0}]
)
async def test_an_answer_without_a_body_cannot_be_damaged(toy: Toy, fault: dict[str, Any]) -> None:
    await toy.control.add({"expect": True, "fault": fault})
    assert (await toy.ask("/nothing", body={})).status == 204
    assert (await toy.control.verdict())["verdict"] == "inconclusive"


async def test_a_content_type_that_it_has_already(toy: Toy) -> None:
    await toy.control.add({"fault": {"kind": "content_type", "value": "application/json"}})
    await toy.ask()
    assert (await toy.control.rules())[0]["hits"] == 0


async def test_a_refusal_that_has_not_begun_did_not_fire(toy: Toy) -> None:
    later = {"id": "later", "after_s": 1000, "for_s": 5, "expect": True, "fault": {"kind": "refuse"}}
    await toy.control.add(later, {"id": "now", "expect": True, "fault": {"kind": "refuse"}})
    with pytest.raises(ConnectionRefusedError):
        await toy.ask()
    (unmet,) = (await toy.control.verdict())["unmet"]
    assert unmet["id"] == "later"
    assert unmet["near_misses"] == [
        {"call": None, "why": ["in real time it refuses from 1000 s to 1005 s after it was loaded"]}
    ]


async def test_a_refusal_that_begins_while_another_holds_fires_too(toy: Toy) -> None:
    await toy.control.add({"id": "one", "fault": {"kind": "refuse"}})
    await toy.control.add({"id": "two", "after_s": 0.1, "expect": True, "fault": {"kind": "refuse"}})
    async with asyncio.timeout(10):
        while True:
            if (await toy.control.verdict())["verdict"] == "passed":
                break
            await asyncio.sleep(0.01)
    assert [rule["hits"] for rule in await toy.control.rules()] == [1, 1]


async def test_a_factor_on_a_job_that_takes_no_time_is_an_error(settings: ServiceSettings) -> None:
    rule = {"fault": {"kind": "job_slow", "factor": 20}}
    async with serving(sam3.create_app(settings)) as url, AsyncControl(url) as control:
        with pytest.raises(ControlError, match=r"422: .*the job takes no time, which no factor makes longer"):
            await control.add(rule | {"operation": "submit"})
        await control.set_profile("realistic")
        assert len(await control.add(rule)) == 1


async def test_a_call_under_way_has_its_hit_already() -> None:
    async with serve_toy() as toy:
        await toy.control.add({"expect": True, "fault": {"kind": "hang"}})
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(toy.ask(), 0.3)
        assert (await toy.control.verdict())["verdict"] == "passed"
