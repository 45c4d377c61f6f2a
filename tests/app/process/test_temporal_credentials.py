"""A key or a certificate that is changed while the process runs is taken up, and a broken one is not."""

import asyncio
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

from app.process.temporal import TemporalConfigurationError, configuration, connect
from app.process.temporal_credentials import FILES, credentials_followed
from scenarios.stack.programs import Options
from scenarios.stack.stack import Stack


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", "/dev/null")
    for name in (*FILES, "TEMPORAL_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    file = tmp_path / "key"
    file.write_text("first\n")
    monkeypatch.setenv("TEMPORAL_API_KEY_FILE", str(file))
    return file


def replace(file: Path, text: str) -> None:
    """Change a file at once, as Kubernetes does with a secret."""
    new = file.with_suffix(".new")
    new.write_text(text)
    new.replace(file)


def remove(file: Path) -> None:
    file.unlink()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - a file sets no event
            await asyncio.sleep(0.01)


def test_the_key_is_read_from_its_file(key: Path) -> None:
    assert configuration()["api_key"] == "first"
    key.unlink()
    with pytest.raises(TemporalConfigurationError, match="No such file"):
        configuration()


async def test_a_key_that_changes_is_taken_up(key: Path) -> None:
    used: list[Client] = []

    async def reconnect() -> Client:
        return await connect(lazy=True)

    async with credentials_followed(reconnect, used.append, interval=0.01):
        replace(key, "second\n")
        await until(lambda: len(used) == 1)
        remove(key)  # nothing new can be known of it
        replace(key, "third\n")
        await until(lambda: len(used) == 2)
    assert [client.service_client.config.api_key for client in used] == ["second", "third"]


async def test_what_cannot_be_used_is_told_and_tried_again_and_the_old_one_goes_on(key: Path) -> None:
    used: list[str] = []
    tried: list[str] = []

    async def reconnect() -> Client:
        tried.append(configuration()["api_key"])
        if len(tried) < 3:
            raise RuntimeError("the server does not believe it yet")
        return await connect(lazy=True)

    with capture_logs() as said:
        async with credentials_followed(
            reconnect, lambda client: used.append(client.service_client.config.api_key or ""), interval=0.01
        ):
            replace(key, "second\n")
            await until(lambda: bool(used))
    assert (tried, used) == (["second"] * 3, ["second"])
    assert [line["event"] for line in said] == [
        *["Temporal's new credentials cannot be used yet"] * 2,
        "Temporal's new credentials are used",
    ]
    assert "second" not in str(said)


async def test_each_file_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in FILES:
        (tmp_path / name).write_text("first")
        monkeypatch.setenv(name, str(tmp_path / name))
    made: list[str] = []

    async def reconnect() -> Client:
        made.append("another")
        raise RuntimeError

    async with credentials_followed(reconnect, lambda _client: None, interval=0.01):
        for name in FILES:
            before = len(made)
            replace(tmp_path / name, os.urandom(4).hex())
            await until(lambda before=before: len(made) > before)  # type: ignore[misc]


async def test_without_files_nothing_is_watched() -> None:
    before = asyncio.all_tasks()

    async def reconnect() -> Client:
        raise AssertionError

    async with credentials_followed(reconnect, lambda _client: None):
        assert asyncio.all_tasks() == before


@activity.defn
async def say(word: str) -> str:
    return word


async def test_a_worker_goes_on_by_the_new_connection(
    key: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    options = Options(parts=frozenset({"temporal"}), temporal_ui=False)
    async with Stack(home=tmp_path / "stack", options=options) as stack:
        monkeypatch.setenv("TEMPORAL_ADDRESS", stack.temporal_address)
        monkeypatch.setenv("TEMPORAL_NAMESPACE", "default")
        monkeypatch.setenv("TEMPORAL_TLS", "false")  # the local server has none, and an API key would bring it
        client = await connect()
        worker = Worker(client, task_queue="q", activities=[say])

        def use(newer: Client) -> None:
            worker.client = newer

        async with worker, credentials_followed(connect, use, interval=0.01):
            replace(key, "second\n")
            await until(lambda: worker.client is not client)
            assert worker.client.service_client.config.api_key == "second"
            handle = await worker.client.start_activity(
                say, "hello", id="a", task_queue="q", start_to_close_timeout=timedelta(seconds=10)
            )
            assert await handle.result() == "hello"
