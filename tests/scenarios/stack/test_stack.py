"""The real servers as the stack starts them: Temporal and Azurite, and what every program is told."""

import asyncio
import os
import socket
from pathlib import Path

import httpx
import psutil
import pytest
from azure.storage.blob.aio import BlobServiceClient
from temporalio.client import Client

from scenarios.processes.ports import HOST, PortTakenError
from scenarios.processes.probes import BLOB_API_VERSION
from scenarios.stack.ports import Ports
from scenarios.stack.programs import ACCOUNT, ACCOUNT_KEY, ALL_PARTS, CONTAINER, Options, stages
from scenarios.stack.stack import Stack

SERVERS = frozenset({"temporal", "azurite"})


async def test_temporal_and_azurite_work_and_are_gone_afterwards(tmp_path: Path) -> None:
    flags = ["--dynamic-config-value", "frontend.WorkflowTimeSkippingEnabled=true"]
    async with Stack(home=tmp_path, options=Options(parts=SERVERS, temporal_flags=flags)) as stack:
        client = await Client.connect(stack.temporal_address)
        assert [workflow async for workflow in client.list_workflows()] == []
        store = BlobServiceClient(
            stack.environment["AZURE_BLOB_ENDPOINT"], credential=ACCOUNT_KEY, api_version=BLOB_API_VERSION
        )
        async with store, store.get_blob_client(CONTAINER, "a") as blob:
            await blob.upload_blob(b"kept")
            await stack.stop("azurite")
            await stack.start("azurite")
            assert await (await blob.download_blob()).readall() == b"kept"
        async with httpx.AsyncClient() as http:
            assert (await http.get(stack.urls["temporal_ui"])).status_code == 200
        assert "WorkflowTimeSkippingEnabled=true" in " ".join(stack["temporal"].program.words)
        pids = [child.pid for child in stack]
    assert not any(psutil.pid_exists(pid) for pid in pids)
    with socket.socket() as probe:
        assert probe.connect_ex((HOST, stack.ports.temporal)) != 0


async def test_a_taken_port_stops_everything_before_it_starts(tmp_path: Path) -> None:
    with socket.create_server((HOST, 0)) as occupant:
        ports = Ports(azurite=occupant.getsockname()[1], temporal=Ports.free().temporal)
        stack = Stack(home=tmp_path, ports=ports, options=Options(parts=SERVERS, temporal_ui=False))
        with pytest.raises(PortTakenError, match=f"^port {ports.azurite} is taken; it is needed for Azurite"):
            async with stack:
                pytest.fail("it must not come up")
    assert list(stack) == []


async def test_an_earlier_stack_s_data_is_removed_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "azurite").mkdir()
    for name in ("azurite/old", "temporal.db", "temporal.db-wal", "worker.log", "notes.txt"):
        (tmp_path / name).touch()
    async with Stack(home=tmp_path, options=Options(parts=frozenset({"azurite"}))):
        assert not (tmp_path / "azurite" / "old").exists()
    assert (tmp_path / "notes.txt").exists()
    assert not (tmp_path / "temporal.db").exists()
    assert not (tmp_path / "temporal.db-wal").exists()
    assert not (tmp_path / "worker.log").exists()


def test_the_user_s_own_deployment_does_not_reach_the_local_stack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "TEMPORAL_API_KEY", "TEMPORAL_TLS", "API_KEYS", "AZURE_ACCOUNT_KEY"):
        monkeypatch.setenv(name, "the user's own")
    started = [program for stage in stages(Ports(), tmp_path, Options()) for program in stage]
    assert {program.name for program in started} == ALL_PARTS
    for program in started:
        assert "the user's own" not in program.environment.values()
        assert program.environment["PATH"] == os.environ["PATH"]
        assert program.environment["AZURE_ACCOUNT_NAME"] == ACCOUNT
        assert program.environment["A100_URLS"] == "http://127.0.0.1:8008"


def test_extra_environment_by_process_and_several_workers(tmp_path: Path) -> None:
    extra = {"*": {"LOG_LEVEL": "ERROR", "A": "all"}, "worker": {"A": "workers"}, "worker-2": {"A": "second"}}
    options = Options(parts=frozenset({"worker", "gateway"}), workers=2, extra=extra)
    (started,) = [stage for stage in stages(Ports(), tmp_path, options) if stage]
    assert [(program.name, program.environment["A"]) for program in started] == [
        ("worker-1", "workers"),
        ("worker-2", "second"),
        ("gateway", "all"),
    ]


def test_options_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="no such part of the stack: wroker; there are"):
        Options(parts=frozenset({"wroker"}))
    with pytest.raises(ValueError, match="at least one"):
        Options(workers=0)


async def test_stacks_live_side_by_side(tmp_path: Path) -> None:
    async def use(name: str) -> tuple[str, int]:
        async with Stack(home=tmp_path / name, options=Options(parts=frozenset({"temporal"}), temporal_ui=False)) as it:
            return it.temporal_address, it["temporal"].pid

    first, second = await asyncio.gather(use("first"), use("second"))
    assert first[0] != second[0]
    assert first[1] != second[1]
