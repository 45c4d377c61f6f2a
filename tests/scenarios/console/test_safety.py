"""The console's server against what a browser or an exporter may send it: over real HTTP, without a stack."""

import gzip
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from app.process.temporal import connect
from fakes.kit.serve import serving
from scenarios.console.addresses import Addresses
from scenarios.console.application import LARGEST_BATCH, create_console
from scenarios.console.fakes import Fakes
from scenarios.console.reproductions import Reproductions
from scenarios.console.scenario_runs import ScenarioRuns
from scenarios.console.traces import MOST_SPANS
from scenarios.stack.live import LivePlace

TRACE = bytes(range(16))


@pytest.fixture
async def console() -> AsyncIterator[httpx.AsyncClient]:
    addresses = Addresses(gateway="http://127.0.0.1:1")
    async with (
        Fakes({}) as fakes,
        ScenarioRuns(LivePlace(addresses.gateway)) as runs,
        Reproductions() as reproductions,
        serving(create_console(addresses, fakes, runs, reproductions, await connect(lazy=True))) as url,
        httpx.AsyncClient(base_url=url, trust_env=False, timeout=30) as client,
    ):
        yield client


def batch(*spans: Span) -> bytes:
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add().spans.extend(spans)
    return request.SerializeToString()


def a_span(number: int, parent: int | None = None, **attributes: AnyValue) -> Span:
    return Span(
        trace_id=TRACE,
        span_id=(number + 1).to_bytes(8, "big"),
        parent_span_id=b"" if parent is None else (parent + 1).to_bytes(8, "big"),
        name=f"span {number}",
        start_time_unix_nano=1_800_000_000_000_000_000 + number,
        attributes=[
            KeyValue(key="temporalWorkflowID", value=AnyValue(string_value="w")),
            *(KeyValue(key=key, value=value) for key, value in attributes.items()),
        ],
    )


async def told(console: httpx.AsyncClient) -> dict[str, Any]:
    answer = await console.get("/harness/traces/w")
    assert answer.status_code == 200, answer.text
    value: dict[str, Any] = answer.json()
    return value


async def test_attributes_of_every_type_are_told(console: httpx.AsyncClient) -> None:
    texts = [AnyValue(string_value="a"), AnyValue(int_value=2)]
    sent = a_span(
        0,
        array=AnyValue(array_value=ArrayValue(values=texts)),
        table=AnyValue(kvlist_value=KeyValueList(values=[KeyValue(key="k", value=texts[0])])),
        raw=AnyValue(bytes_value=b"\xff\x00"),
        share=AnyValue(double_value=float("nan")),
        nothing=AnyValue(),
    )
    assert (await console.post("/v1/traces", content=batch(sent))).status_code == 200
    (span,) = (await told(console))["spans"]
    assert span["attributes"] == {
        "temporalWorkflowID": "w",
        "array": ["a", 2],
        "table": {"k": "a"},
        "raw": "ff00",
        "share": "nan",
        "nothing": None,
    }


async def test_a_trace_keeps_so_many_spans_and_says_what_it_left_out(console: httpx.AsyncClient) -> None:
    """Each the child of the one before: no depth is too much for the tree."""
    chain = [a_span(number, number - 1 if number else None) for number in range(MOST_SPANS + 30)]
    for spans in (chain[:1500], chain[1500:]):
        assert (await console.post("/v1/traces", content=batch(*spans))).status_code == 200
    trace = await told(console)
    assert (len(trace["spans"]), trace["dropped"]) == (MOST_SPANS, 30)
    lines = trace["tree"].splitlines()
    assert lines[0].endswith(f"{MOST_SPANS} spans and 30 more, which were not kept")
    assert len(lines) == 1 + MOST_SPANS


async def test_spans_that_are_their_own_parents_or_have_no_id(console: httpx.AsyncClient) -> None:
    nameless = a_span(3)
    nameless.span_id = b""
    spans = [a_span(0), a_span(1, 2), a_span(2, 1), nameless]
    assert (await console.post("/v1/traces", content=batch(*spans))).status_code == 200
    assert len((await told(console))["spans"]) == 3


@pytest.mark.parametrize("packed", [False, True])
async def test_a_batch_is_never_larger_than_its_limit_once_unpacked(console: httpx.AsyncClient, packed: bool) -> None:
    body = bytes(LARGEST_BATCH + 1)
    headers = {"Content-Encoding": "gzip"} if packed else {}
    answer = await console.post("/v1/traces", content=gzip.compress(body) if packed else body, headers=headers)
    assert answer.status_code == 413
    assert str(LARGEST_BATCH) in answer.json()["message"]


async def test_packed_spans_are_taken_and_what_is_no_gzip_is_refused(console: httpx.AsyncClient) -> None:
    headers = {"Content-Encoding": "gzip"}
    assert (await console.post("/v1/traces", content=b"no gzip", headers=headers)).status_code == 400
    assert (await console.post("/v1/traces", content=gzip.compress(batch(a_span(0))), headers=headers)).is_success
    assert len((await told(console))["spans"]) == 1


POSTS = ("/v1/traces", "/harness/scenarios/plain/runs/real")


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:1"])
async def test_a_page_from_elsewhere_cannot_post(console: httpx.AsyncClient, path: str, origin: str) -> None:
    answer = await console.post(path, headers={"Origin": origin, "Content-Type": "text/plain"})
    assert (answer.status_code, origin in answer.json()["message"]) == (403, True)


async def test_a_name_that_was_made_to_point_here_is_not_served(console: httpx.AsyncClient) -> None:
    answer = await console.get("/harness/config", headers={"Host": "evil.example:8080"})
    assert (answer.status_code, "evil.example" in answer.json()["message"]) == (403, True)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
async def test_its_own_page_may(console: httpx.AsyncClient, host: str) -> None:
    here = f"{host}:{console.base_url.port}"
    answer = await console.post("/harness/scenarios/none/runs/real", headers={"Host": here, "Origin": f"http://{here}"})
    assert answer.status_code == 404
