from collections.abc import Mapping
from contextlib import AsyncExitStack

import httpx
import pytest
from azure.storage.blob import BlobServiceClient

from fakes.kit.serve import serving
from fakes.registry import SERVICES
from fakes.settings import ServiceSettings
from fakes.storage.store import API_VERSION
from scenarios.contract.command import look
from scenarios.contract.report import Report, render
from tests.scenarios.contract.second_service import second_service

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def settings(azurite: dict[str, str]) -> ServiceSettings:
    return ServiceSettings.model_validate(azurite | {"sim_enabled": True})


async def outcomes(service: str, settings: ServiceSettings, *rules: dict[str, object]) -> Report:
    async with serving(SERVICES[service].create_app(settings)) as url:
        if rules:
            async with httpx.AsyncClient(base_url=url) as client:
                (await client.post("/__sim/rules", json=list(rules))).raise_for_status()
        [report] = await look([(service, url)], settings, 0.02)
    return report


def deviating(report: Report) -> list[str]:
    return [line.says for line in report.deviations]


@pytest.mark.parametrize("service", SERVICES)
async def test_each_fake_holds_every_line(service: str, settings: ServiceSettings) -> None:
    report = await outcomes(service, settings)
    assert {line.outcome for line in report.lines} == {"holds"}, render([report])


async def independent(settings: ServiceSettings, renamed: Mapping[str, str]) -> Report:
    credential = {"account_name": settings.azure_account_name, "account_key": settings.azure_account_key}
    with BlobServiceClient(settings.azure_blob_endpoint, credential=credential, api_version=API_VERSION) as store:
        async with AsyncExitStack() as stack:
            url = stack.enter_context(second_service(store, renamed))
            [report] = await look([("image_manipulator", url)], settings, 0.02)
    return report


async def test_an_independent_service_holds_every_line(settings: ServiceSettings) -> None:
    report = await independent(settings, {})
    assert {line.outcome for line in report.lines} == {"holds"}, render([report])


async def test_a_renamed_field_is_told_so_that_a_person_sees_it(settings: ServiceSettings) -> None:
    report = await independent(settings, {"resized_uri": "resizedUri"})
    text = render([report])
    assert "✗ POST /resize answers the new URI and both sizes" in text
    assert "contract: specification, 2. Image Manipulator Service, POST /resize" in text
    assert "POST /resize answered otherwise than docs/openapi/image_manipulator.json says:\n" in text
    assert "      $: 'resized_uri' is a required property; it has resizedUri\n" in text
    assert "· … its name is the photo's with -resized.jpg" in text


@pytest.mark.parametrize(
    ("service", "fault", "line"),
    [
        ("image_manipulator", {"kind": "picture_size"}, "… the blob is a JPEG of the new size"),
        ("image_manipulator", {"kind": "wrong_type", "field": "zoom_level"}, "POST /zoom_check answers advice"),
        ("birefnet", {"kind": "picture_no_alpha"}, "the result is a PNG with alpha, of the photo's size"),
        ("birefnet", {"kind": "job_failed"}, "GET /jobs/{id} says completed within 120 s, with result_uri"),
        ("birefnet", {"kind": "job_unknown_status"}, "GET /jobs/{id} says completed within 120 s, with result_uri"),
        ("sam3", {"kind": "mask_inverted"}, "the mask holds the points of label 1 and not those of label 0"),
        ("sam3", {"kind": "missing_field", "field": "job_id"}, "POST /jobs answers a job_id"),
        ("a100", {"kind": "picture_format"}, "… result_base64 is a JPEG of the photo's size, and not the photo"),
        ("a100", {"kind": "null_field", "field": "metrics"}, "POST /generate answers pictures and metrics"),
        ("a100", {"kind": "status", "status": 503}, "GET /health answers status online and the free memory"),
    ],
)
async def test_a_deviation_is_found_at_its_line(
    service: str, fault: dict[str, object], line: str, settings: ServiceSettings
) -> None:
    report = await outcomes(service, settings, {"id": "lie", "fault": fault})
    assert any(says.startswith(line) for says in deviating(report)), render([report])


async def test_a_service_that_is_not_there_is_a_deviation_and_no_crash(settings: ServiceSettings) -> None:
    [report] = await look([("a100", "http://127.0.0.1:1")], settings, 0.02)
    assert "GET /health: ConnectError" in report.deviations[0].reason
