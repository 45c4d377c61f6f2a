from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any

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


@pytest.mark.parametrize("service", SERVICES)
async def test_of_an_app_that_its_host_has_stopped_that_alone_is_told(service: str, settings: ServiceSettings) -> None:
    report = await outcomes(service, settings, {"fault": {"kind": "host_gone"}})
    assert [line.outcome for line in report.lines] == ["deviates"]
    assert "its host has no such app: modal-http: app for invoked web endpoint is stopped" in render([report])


TAKEN: list[tuple[str, list[dict[str, Any]], list[str]]] = [
    (
        "sam3",
        [
            {"operation": "submit", "fault": {"kind": "redirect"}},
            {"operation": "submit", "fault": {"kind": "mask_values"}},
            {"operation": "poll", "calls": "1-2", "fault": {"kind": "not_ready"}},
        ],
        ["POST /jobs answers 303 to the same host", "a mask of the values 0 and 1", "a poll is answered 202"],
    ),
    (
        "sam3",
        [
            {"fault": {"kind": "queue", "seconds": 2}},
            {"operation": "submit", "fault": {"kind": "slow_headers", "bytes": 100, "pause": 0.05}},
            {"operation": "submit", "calls": "1", "fault": {"kind": "cold_start", "seconds": 0.5}},
        ],
        ["'queued' for a status, without one: the job goes on"],
    ),
    (
        "birefnet",
        [
            {"operation": "submit", "calls": "1", "fault": {"kind": "job_unknown_status", "status": "succeeded"}},
            {"fault": {"kind": "poll_errors"}},
        ],
        ["'succeeded' for a status, with a result", "a poll fails with 502, and is made again"],
    ),
    (
        "image_manipulator",
        [{"fault": {"kind": "result_named"}}],
        ["instead of azure://jewelry-uploads/contract-"],
    ),
    (
        "image_manipulator",
        [{"fault": {"kind": "result_format"}}],
        ["-resized.png is PNG instead of JPEG, as its name"],
    ),
    (
        "a100",
        [{"fault": {"kind": "base64_dress"}}, {"fault": {"kind": "float_noise", "by": 1e-7}}],
        ["base64 in another dress: 'data:image/jpeg;base64,"],
    ),
]


@pytest.mark.parametrize(("service", "rules", "said"), TAKEN, ids=[words[0][:20] for _, _, words in TAKEN])
async def test_what_the_pipeline_takes_all_the_same_is_told_and_no_deviation(
    service: str, rules: list[dict[str, Any]], said: list[str], settings: ServiceSettings
) -> None:
    report = await outcomes(service, settings, *rules)
    text = render([report])
    assert {line.outcome for line in report.lines} == {"holds", "taken otherwise"}, text
    for words in said:
        assert words in text


async def test_a_limit_is_told_in_the_service_s_words_and_says_nothing_of_the_rest(settings: ServiceSettings) -> None:
    fault = {"kind": "status", "status": 429, "body": {"detail": "monthly spending limit reached"}}
    report = await outcomes("sam3", settings, {"fault": fault})
    assert deviating(report) == ["POST /jobs answers a job_id"]
    assert 'POST /jobs answered 429: {"detail": "monthly spending limit reached"}' in render([report])
    assert {line.outcome for line in report.lines[2:]} == {"not looked at"}


async def test_a_redirect_to_another_address_is_a_deviation(settings: ServiceSettings) -> None:
    report = await outcomes("sam3", settings, {"fault": {"kind": "redirect", "elsewhere": "http://elsewhere.invalid"}})
    assert "a redirect to http://elsewhere.invalid/jobs?kept=" in report.deviations[0].reason
    assert "which the pipeline does not follow" in report.deviations[0].reason


@pytest.mark.parametrize(
    ("url", "said"), [("http://127.0.0.1:1", "Errno 111"), ("http://a100.invalid", "ConnectError: [Errno -")]
)
async def test_a_service_that_is_not_there_is_a_deviation_and_no_crash(
    url: str, said: str, settings: ServiceSettings
) -> None:
    [report] = await look([("a100", url)], settings, 0.02)
    assert [line.says for line in report.lines] == ["it is there, and not only its host"]
    assert said in report.deviations[0].reason
