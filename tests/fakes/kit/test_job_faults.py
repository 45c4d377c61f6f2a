"""Each fault of jobs, as polls see it, in real and in virtual time."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from fakes import birefnet, pictures
from fakes.kit.client import AsyncControl
from fakes.kit.serve import serving
from fakes.settings import ServiceSettings
from fakes.storage.store import open_store

JOB_SECONDS = 30
SCALE = 0.02
"""In real time, so that the job takes 0.6 s."""


@dataclass
class Service:
    """The fake BiRefNet with a picture in its store, and a caller with a clock."""

    http: httpx.AsyncClient
    control: AsyncControl
    settings: ServiceSettings
    key: str
    virtual: bool
    starts: float = 5000.0

    async def submit(self) -> str:
        body = {"image_uri": f"azure://jewelry-uploads/{self.key}-resized.jpg"}
        answer = await self.http.post("/jobs", json=body, headers=self._headers(0))
        assert answer.status_code == 200, answer.text
        job_id: str = answer.json()["job_id"]
        return job_id

    async def poll(self, job_id: str, after: float) -> httpx.Response:
        """Poll so many nominal seconds after the submit: at once in virtual time."""
        return await self.http.get(f"/jobs/{job_id}", headers=self._headers(after))

    async def story(self, *times: float) -> list[Any]:
        """Submit, and return what the polls at those nominal seconds say: a status, or the code of an error."""
        began = asyncio.get_running_loop().time()
        job_id = await self.submit()
        told = []
        for after in times:
            if not self.virtual:
                await asyncio.sleep(max(0.0, began + after * SCALE - asyncio.get_running_loop().time()))
            answer = await self.poll(job_id, after)
            told.append(answer.json()["status"] if answer.status_code == 200 else answer.status_code)
        return told

    def _headers(self, after: float) -> dict[str, str]:
        virtual = {"X-Sim-Time": repr(self.starts + after)} if self.virtual else {}
        return {"X-Workflow-Id": self.key} | virtual


REAL = pytest.mark.long("its jobs take the time that they take; the twin in virtual time shows the same")


@pytest.fixture(params=[pytest.param(False, marks=REAL), True], ids=["real", "virtual"])
def virtual(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
async def service(settings: ServiceSettings, key: str, virtual: bool) -> AsyncIterator[Service]:
    settings = settings.model_copy(
        update={"fakes_time_scale": SCALE, "sim_profile": f"{{latency: {{submit: {JOB_SECONDS}}}}}"}
    )
    async with open_store(settings) as store:
        await store.put(f"azure://jewelry-uploads/{key}-resized.jpg", pictures.portrait(64, 64, seed=1))
    async with (
        serving(birefnet.create_app(settings)) as url,
        AsyncControl(url) as control,
        httpx.AsyncClient(base_url=url) as http,
    ):
        yield Service(http, control, settings, key, virtual)


@pytest.mark.parametrize("virtual", [True])
@pytest.mark.parametrize(("began", "seconds"), [(12.9, 2.9), (9.9, 5.9), (0.7, 0.1), (366.4, 21.5)])
async def test_a_job_is_done_at_its_very_instant(service: Service, began: float, seconds: float) -> None:
    await service.control.add({"operation": "submit", "fault": {"kind": "job_slow", "seconds": seconds}})
    service.starts = 1_800_000_000 + began
    job_id = await service.submit()
    service.starts = 1_800_000_000 + (began + seconds)
    assert (await service.poll(job_id, 0)).json()["status"] == "completed"


async def test_without_a_rule_the_state_is_the_callers_times(service: Service) -> None:
    assert await service.story(0, 10, 60) == ["processing", "processing", "completed"]


async def test_polls_change_nothing_in_virtual_time(service: Service) -> None:
    service.virtual = True
    assert await service.story(29.9, 30, 0, 30, 15) == [
        "processing",
        "completed",
        "processing",
        "completed",
        "processing",
    ]


async def test_job_slow(service: Service) -> None:
    await service.control.add({"fault": {"kind": "job_slow", "factor": 4}})
    assert await service.story(60, 150) == ["processing", "completed"]
    await service.control.remove()
    await service.control.add({"fault": {"kind": "job_slow", "seconds": 90}})
    assert await service.story(50, 120) == ["processing", "completed"]


async def test_job_stuck(service: Service) -> None:
    await service.control.add({"fault": {"kind": "job_stuck"}})
    assert await service.story(0, 60) == ["processing", "processing"]


async def test_job_failed(service: Service) -> None:
    await service.control.add({"fault": {"kind": "job_failed"}})
    assert await service.story(0, 60) == ["processing", "failed"]


async def test_job_lost(service: Service) -> None:
    await service.control.add({"fault": {"kind": "job_lost", "seconds": 40}, "operation": "submit"})
    assert await service.story(5, 60) == ["processing", 404]


async def test_job_late(service: Service) -> None:
    await service.control.add({"fault": {"kind": "job_late", "seconds": 20}})
    assert await service.story(0, 60) == [404, "completed"]


async def test_job_no_result(service: Service) -> None:
    await service.control.add({"fault": {"kind": "job_no_result"}})
    job_id = await service.submit()
    await asyncio.sleep(0 if service.virtual else 1.2 * JOB_SECONDS * SCALE)
    assert (await service.poll(job_id, 100)).json() == {"status": "completed"}


async def test_job_foreign(service: Service) -> None:
    await service.control.add({"fault": {"kind": "job_foreign"}})
    job_id = await service.submit()
    await asyncio.sleep(0 if service.virtual else 1.2 * JOB_SECONDS * SCALE)
    uri = (await service.poll(job_id, 100)).json()["result_uri"]
    assert service.key not in uri
    assert uri.endswith("-resized-nobg.png")
    async with open_store(service.settings) as store:
        assert (await store.get(uri)).startswith(b"\x89PNG")


async def test_job_unknown_status(service: Service) -> None:
    await service.control.add({"fault": {"kind": "job_unknown_status", "status": "QUEUED"}})
    assert await service.story(0) == ["QUEUED"]


@pytest.mark.parametrize("kinds", [("job_foreign", "job_unknown_status"), ("job_unknown_status", "job_foreign")])
async def test_anothers_result_under_an_unknown_status(service: Service, kinds: tuple[str, str]) -> None:
    await service.control.add(*({"fault": {"kind": kind}} for kind in kinds))
    job_id = await service.submit()
    await asyncio.sleep(0 if service.virtual else 1.2 * JOB_SECONDS * SCALE)
    told = (await service.poll(job_id, 100)).json()
    assert told["status"] == "sleeping"
    assert service.key not in told["result_uri"]


async def test_job_flapping(service: Service) -> None:
    await service.control.add({"operation": "submit", "fault": {"kind": "job_flapping", "period": 30}})
    assert await service.story(5, 45, 75) == ["processing", "failed", "completed"]


async def test_queue(service: Service) -> None:
    await service.control.add({"operation": "submit", "expect": True, "fault": {"kind": "queue", "seconds": 15}})
    assert await service.story(0, 20, 60) == ["queued", "processing", "completed"]
    assert (await service.control.verdict())["verdict"] == "passed"


async def test_poll_errors(service: Service) -> None:
    await service.control.add({"expect": 3, "fault": {"kind": "poll_errors", "number": 3, "good": 1}})
    assert await service.story(0, 0, 0, 0, 0, 60) == ["processing", 502, 502, 502, "processing", "completed"]
    assert (await service.control.verdict())["verdict"] == "passed"


async def test_on_a_poll_the_fault_is_in_that_answer_alone(service: Service) -> None:
    await service.control.add({"operation": "poll", "calls": "2", "fault": {"kind": "job_lost"}})
    assert await service.story(0, 0, 0) == ["processing", 404, "processing"]


async def test_a_poll_without_a_key_is_its_jobs(service: Service) -> None:
    job_id = await service.submit()
    await service.http.get(f"/jobs/{job_id}")
    assert [call["operation"] for call in await service.control.ledger(service.key)] == ["submit", "poll"]


async def test_two_submits_are_two_jobs_and_plain_to_see(service: Service) -> None:
    assert await service.submit() != await service.submit()
    ledger = (await service.http.get("/__sim/ledger")).json()
    assert ledger["duplicate_submits"] == {service.key: 2}
