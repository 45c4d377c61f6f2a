"""Who watches a run: what it sees, and that its death is the end of the run."""

import asyncio
import os

import pytest
from fastapi import FastAPI

from fakes.kit.serve import serving
from fakes.registry import SERVICES
from fakes.settings import ServiceSettings
from loadtests.measure.sampling import SamplingError, sampling
from scenarios.stack.programs import ACCOUNT_KEY


async def test_it_sees_slots_and_processes() -> None:
    settings = ServiceSettings(
        sim_enabled=True,
        sim_profile="realistic",
        azure_account_key=ACCOUNT_KEY,
        azure_blob_endpoint="http://127.0.0.1:1/nowhere",
    )
    a100 = SERVICES["a100"].create_app(settings)
    async with serving(a100) as url, sampling({"a100": url}, {"me": os.getpid()}) as samples, asyncio.timeout(30):
        while not samples:  # noqa: ASYNC110 - it tells nobody of its looks
            await asyncio.sleep(0.01)
    assert (samples[0].slots, samples[0].busy, samples[0].waiting) == ({"a100": 1}, {"a100": 0}, {"a100": 0})
    assert samples[0].processes["me"].memory > 0


async def test_when_it_dies_the_run_ends() -> None:
    no_fake = FastAPI()

    @no_fake.get("/__sim/health")
    async def health() -> dict[str, str]:
        return {"service": "something else"}

    async with serving(no_fake) as url:
        with pytest.raises(SamplingError, match="the watch over fakes and processes died: KeyError"):
            async with sampling({"a100": url}, {}), asyncio.timeout(30):
                await asyncio.Event().wait()
