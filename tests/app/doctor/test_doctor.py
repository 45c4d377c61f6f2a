"""The doctor against the real stack: healthy, half dead, and misconfigured."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest

from app.doctor.__main__ import main
from app.doctor.checks import Checks
from app.doctor.findings import Finding, Verdict, render
from app.process.temporal import connect
from app.services.assembly import ServiceClients
from app.settings import Settings
from fakes.kit.client import AsyncControl
from fakes.kit.serve import serving
from fakes.registry import SERVICES
from fakes.settings import ServiceSettings
from scenarios.stack.stack import Stack

GONE = "http://127.0.0.1:1"
PARTS = ["blob store", "Temporal", "image manipulator", "BiRefNet", "SAM3", "A100"]


@pytest.fixture(autouse=True)
def temporal(backing: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in backing.environment.items():
        if name.startswith("TEMPORAL_"):
            monkeypatch.setenv(name, value)


async def diagnose(settings: Settings, *, gpu: bool = False, **changed: Any) -> dict[str, Finding]:
    given = settings.model_dump(exclude=set(changed)) | changed
    settings = Settings.model_validate(given)
    services = ServiceClients(settings)
    found = await Checks(settings, services, gpu=gpu).run()
    await services.close()
    return {finding.part: finding for finding in found}


async def operations(backing: Stack, service: str) -> set[str]:
    async with httpx.AsyncClient() as http:
        calls = (await http.get(f"{backing.urls[service]}/__sim/ledger")).json()["calls"]
    return {call["operation"] for call in calls if call["key"].startswith("doctor-")}


@pytest.mark.usefixtures("worker")
async def test_a_healthy_stack_is_good_and_all_fake_and_no_gpu_is_asked(settings: Settings, backing: Stack) -> None:
    async with asyncio.timeout(30):
        while (found := await diagnose(settings))["Temporal"].verdict is Verdict.WARNING:
            pass  # the worker of this test has not polled both queues yet
    assert list(found) == PARTS
    assert {finding.verdict for finding in found.values()} == {Verdict.GOOD}
    assert {part for part, finding in found.items() if finding.kind == "fake"} == set(PARTS) - {"Temporal"}
    assert re.search(r"server 1\.\d+\.\d+; [1-9]\d* polling tryon, [1-9]\d* polling tryon-a100", found["Temporal"].says)
    assert await operations(backing, "image_manipulator") == {"resize", "zoom_check"}
    for service in ("birefnet", "sam3", "a100"):
        assert await operations(backing, service) == set()


async def test_with_gpu_every_operation_is_tried(settings: Settings, backing: Stack) -> None:
    found = await diagnose(settings, gpu=True)
    assert {found[part].verdict for part in ("BiRefNet", "SAM3", "A100")} == {Verdict.GOOD}
    assert await operations(backing, "sam3") == await operations(backing, "birefnet") == {"submit", "poll"}
    assert await operations(backing, "a100") == {"health", "refine_mask", "generate"}


async def test_what_is_down_is_bad_and_the_rest_is_still_looked_at(settings: Settings) -> None:
    found = await diagnose(settings, sam3_url=GONE, a100_urls=(GONE,))
    assert {part for part, finding in found.items() if finding.verdict is Verdict.BAD} == {"SAM3", "A100"}
    assert "SAM3_UNAVAILABLE: SAM3 could not be reached" in found["SAM3"].says
    assert "Connect" in found["SAM3"].says  # what the machine said of it
    assert "SAM3_URL" in found["SAM3"].advice
    assert found["BiRefNet"].verdict is Verdict.GOOD


async def test_one_a100_that_is_online_is_enough(settings: Settings) -> None:
    settings = settings.model_copy(update={"a100_urls": (GONE, *settings.a100_urls)})
    services = ServiceClients(settings)
    found = await Checks(settings, services, gpu=False).a100s(pictures=True)
    await services.close()
    assert [finding.verdict for finding in found] == [Verdict.WARNING, Verdict.GOOD]


async def test_without_workers_temporal_is_a_warning(settings: Settings) -> None:
    found = await diagnose(settings, task_queue="nobody")
    assert found["Temporal"].verdict is Verdict.WARNING
    assert "0 polling nobody, 0 polling nobody-a100" in found["Temporal"].says
    assert "python -m app.worker" in found["Temporal"].advice


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"azure_account_key": "AAAA"}, "AZURE_REJECTED"),
        ({"azure_container": "not-there"}, "AZURE_REJECTED"),
        ({"azure_blob_endpoint": f"{GONE}/jewelrytryon"}, "cannot be reached"),
    ],
)
async def test_a_wrong_blob_store_is_said_and_services_are_still_asked(
    settings: Settings, changed: dict[str, Any], says: str
) -> None:
    found = await diagnose(settings, **changed)
    assert found["blob store"].verdict is Verdict.BAD
    assert says in found["blob store"].says
    assert "needs the blob store" in found["image manipulator"].says


async def test_a_temporal_that_is_not_there_and_a_namespace_that_is_not(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "not-there")
    found = (await diagnose(settings))["Temporal"]
    assert found.verdict is Verdict.BAD
    assert "not found" in found.says
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
    found = (await diagnose(settings))["Temporal"]
    assert found.verdict is Verdict.BAD
    assert "TEMPORAL_ADDRESS" in found.advice


async def test_the_address_of_temporal_is_the_one_that_gateway_and_worker_use(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "")
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "")
    used = await connect(lazy=True)
    where = f"{used.service_client.config.target_host}, namespace {used.namespace}"
    assert (await diagnose(settings))["Temporal"].address == where == "127.0.0.1:7233, namespace default"


Serve = Callable[..., str]


@pytest.fixture
def served() -> Iterator[Serve]:
    """Serve one answer to everything, and nothing that says fake."""
    servers = []

    def serve(answer: dict[str, object] | str, status: int = 200, after: float = 0) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                time.sleep(after)
                self.send_response(status)
                self.end_headers()
                self.wfile.write((answer if isinstance(answer, str) else json.dumps(answer)).encode())

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.do_GET()

            def log_message(self, *_: object) -> None:
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        thread = Thread(target=server.serve_forever)
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield serve
    for server, thread in servers:
        server.shutdown()
        server.server_close()
        thread.join()


async def test_a_real_service_with_another_shape_is_named(settings: Settings, served: Serve) -> None:
    url = served({"resizedUri": "azure://jewelry-uploads/x.jpg", "status": "loading"})
    found = await diagnose(settings, image_manipulator_url=url, a100_urls=(url,))
    assert found["image manipulator"].kind == "real"
    assert found["image manipulator"].verdict is Verdict.BAD
    assert "IMAGE_MANIPULATOR_BAD_ANSWER" in found["image manipulator"].says
    assert "missing at resized_uri" in found["image manipulator"].says
    assert "A100_UNAVAILABLE: A100 server is offline (says that it is loading)" in found["A100"].says


async def test_a_host_that_has_no_such_app_is_bad_and_says_why(settings: Settings, served: Serve) -> None:
    stopped = served("modal-http: app for invoked web endpoint is stopped\n", 404)
    found = await diagnose(settings, birefnet_url=stopped, sam3_url=served({"detail": "Not Found"}, 404))
    assert found["BiRefNet"].verdict is Verdict.BAD
    assert "its host knows no such app (modal-http: app for invoked web endpoint is stopped)" in found["BiRefNet"].says
    assert "BIREFNET_URL" in found["BiRefNet"].advice
    assert found["SAM3"].verdict is Verdict.GOOD


@asynccontextmanager
async def behaving(settings: Settings, service: str, fault: dict[str, Any], **when: Any) -> AsyncIterator[str]:
    """Serve a fake of its own that behaves as a host's case. The value is its address."""
    key = settings.azure_account_key
    own = ServiceSettings(
        sim_enabled=True,
        azure_blob_endpoint=settings.azure_blob_endpoint,
        azure_account_key=key.get_secret_value() if key else "",
    )
    async with serving(SERVICES[service].create_app(own)) as url, AsyncExitStack() as stack:
        control = AsyncControl(url)
        stack.push_async_callback(control.close)
        await control.add({"fault": fault, **when})
        yield url


@pytest.mark.parametrize(
    ("service", "part", "variable"),
    [
        ("image_manipulator", "image manipulator", "IMAGE_MANIPULATOR_URL"),
        ("birefnet", "BiRefNet", "BIREFNET_URL"),
        ("sam3", "SAM3", "SAM3_URL"),
        ("a100", "A100", "A100_URLS"),
    ],
)
async def test_an_app_that_its_host_has_stopped_is_to_be_started_there(
    settings: Settings, service: str, part: str, variable: str
) -> None:
    async with behaving(settings, service, {"kind": "host_gone"}) as url:
        changed: dict[str, Any] = {variable.lower(): (url,) if service == "a100" else url}
        found = await diagnose(settings, **changed)
    assert found[part].verdict is Verdict.BAD
    assert "its host knows no such app (modal-http: app for invoked web endpoint is stopped)" in found[part].says
    assert (
        found[part].advice
        == f"The app was stopped, or moved: start it at its host, or put its address into {variable}."
    )
    assert all(finding.verdict is not Verdict.BAD for name, finding in found.items() if name != part)


@pytest.mark.parametrize(
    ("status", "todo"),
    [(429, "It is up, and turns calls away: what it says"), (503, "It is up, or a proxy before it is")],
)
async def test_who_is_up_and_refuses_is_not_said_to_be_away(settings: Settings, status: int, todo: str) -> None:
    fault = {"kind": "status", "status": status, "body": {"detail": "monthly spending limit reached"}}
    async with behaving(settings, "image_manipulator", fault) as url:
        found = (await diagnose(settings, image_manipulator_url=url))["image manipulator"]
    assert found.verdict is Verdict.BAD
    assert "monthly spending limit reached" in found.says
    assert found.advice.startswith(todo)


AGAIN = pytest.mark.long("one more thing that is waited out, in real time")


@pytest.mark.parametrize(
    ("fault", "when"),
    [
        pytest.param({"kind": "not_ready"}, {"operation": "poll", "calls": "1"}, marks=AGAIN),
        pytest.param({"kind": "poll_errors", "number": 1}, {}, marks=AGAIN),
        ({"kind": "job_unknown_status", "status": "succeeded"}, {"operation": "submit"}),
        ({"kind": "redirect"}, {"operation": "submit"}),
        pytest.param({"kind": "cold_start", "seconds": 2}, {"operation": "submit"}, marks=AGAIN),
    ],
    ids=lambda value: value.get("kind"),
)
async def test_what_the_pipeline_waits_out_or_takes_is_not_held_against_a_service(
    settings: Settings, fault: dict[str, Any], when: dict[str, Any]
) -> None:
    async with behaving(settings, "sam3", fault, **when) as url:
        services = ServiceClients(settings.model_copy(update={"sam3_url": url}))
        found = await Checks(settings, services, gpu=True).jobs("SAM3", url, services.sam3, pictures=True)
        await services.close()
    assert (found.verdict, found.says) == (Verdict.GOOD, "a job was done, and its result is there")


async def test_a_cold_service_is_waited_for_and_told(
    settings: Settings, served: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.doctor.checks.LIMIT", 0.5)
    found = (await diagnose(settings, sam3_url=served({"detail": "Not Found"}, 404, 0.7)))["SAM3"]
    assert found.verdict is Verdict.WARNING
    assert "its first answer took 1 s: it was starting" in found.says
    assert "up to 120 s" in found.advice


async def test_tls_that_fails_is_told_as_that(settings: Settings, served: Serve) -> None:
    found = await diagnose(settings, sam3_url=served({}).replace("http:", "https:"))
    assert found["SAM3"].verdict is Verdict.BAD
    assert "SSL" in found["SAM3"].says
    assert "certificate of the address in SAM3_URL" in found["SAM3"].advice


async def test_a_uri_out_of_the_container_is_no_good_answer(settings: Settings, served: Serve) -> None:
    size = dict.fromkeys(("original_width", "original_height", "new_width", "new_height"), 9)
    url = served({"resized_uri": "azure://elsewhere/x.jpg", **size})
    found = await diagnose(settings, image_manipulator_url=url)
    assert found["image manipulator"].verdict is Verdict.BAD
    assert "begins with azure://jewelry-uploads/" in found["image manipulator"].says


def test_the_summary_says_what_fails_and_what_is_not_real() -> None:
    good = Finding("SAM3", "http://sam3", Verdict.GOOD, "fake", "answers")
    bad = Finding("A100", "http://a100", Verdict.BAD, "real", "is gone", "Start it.")
    text = render([good, bad])
    assert "Try-ons will fail: A100. Not real: SAM3." in text
    assert re.search(r"^BAD +A100 +real  http://a100\n +is gone\n +-> Start it\.$", text, re.MULTILINE)
    assert "No fake among them." in render([bad])


def test_a_misconfigured_environment_is_explained(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("SAM3_URL", "sam3.example")
    assert main([]) == 2
    said = capsys.readouterr().err
    assert "  SAM3_URL: Value error, must be an http or https address" in said
    assert "  AZURE_ACCOUNT_KEY: Value error, AZURE_ACCOUNT_KEY, AZURE_SAS_TOKEN and AZURE_IDENTITY=true open" in said


def test_the_key_is_never_shown(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert settings.azure_account_key is not None
    key = settings.azure_account_key.get_secret_value()
    for name, value in settings.model_dump(include=set(Settings.model_fields)).items():
        if isinstance(value, str):
            monkeypatch.setenv(name.upper(), value)
    monkeypatch.setenv("A100_URLS", ",".join(settings.a100_urls))
    monkeypatch.setenv("AZURE_ACCOUNT_KEY", key)
    assert main([]) == 0
    said = capsys.readouterr()
    assert "blob store" in said.out
    assert key not in said.out + said.err


def test_a_name_that_is_not_found_is_told_by_it_and_the_exit_code_is_1(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in settings.model_dump(include=set(Settings.model_fields)).items():
        if isinstance(value, str):
            monkeypatch.setenv(name.upper(), value)
    assert settings.azure_account_key is not None
    monkeypatch.setenv("AZURE_ACCOUNT_KEY", settings.azure_account_key.get_secret_value())
    monkeypatch.setenv("A100_URLS", "http://a100.invalid")
    monkeypatch.setenv("SAM3_URL", "http://sam3.invalid")
    assert main([]) == 1
    said = capsys.readouterr().out
    assert re.search(r"SAM3_UNAVAILABLE: .* \(the name sam3\.invalid is not found: ", said)
    assert "Look for a slip in the name in SAM3_URL" in said
    assert "A100_ERROR" in said  # it may be found by the next attempt
    assert "Look for a slip in the name in A100_URLS" in said
    assert "Try-ons will fail: SAM3, A100." in said
