"""A server that starves: it is there once it answers, and who waits for a result waits on."""

import asyncio
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import psutil
import pytest
from temporalio import activity, workflow
from temporalio.client import Client, KeepAliveConfig
from temporalio.worker import Worker

from scenarios.virtual import VirtualLoop, VirtualTime, server, virtual_clocks, virtual_server

TEMPORAL = Path(sys.executable).parent / "temporal"


def temporal(folder: Path, *, slow_starts: int) -> str:
    """Return a `temporal` that says nothing the first times that it is started."""
    program, starts = folder / "temporal", folder / "starts"
    program.write_text(
        f"""#!/bin/sh
echo >> {starts}
test "$(wc -l < {starts})" -le {slow_starts} && exec sleep 600
exec {TEMPORAL} "$@"
"""
    )
    program.chmod(0o755)
    return str(program)


def children(name: str) -> list[psutil.Process]:
    return [each for each in psutil.Process().children(recursive=True) if each.name() == name]


@activity.defn
def works_until_told() -> str:
    begun.set()
    told.wait(60)
    return "done"


@workflow.defn(sandboxed=False)
class Waits:
    @workflow.run
    async def run(self) -> str:
        return await workflow.execute_activity(works_until_told, start_to_close_timeout=timedelta(seconds=600))


begun, told = threading.Event(), threading.Event()
LISTENS = KeepAliveConfig(interval_millis=500, timeout_millis=2500)
"""After three seconds without a word the client takes a connection for broken, where it takes 45 as a rule."""


async def waits_for_a_server_that_stands(silent_s: float) -> str:
    """Return the result of a workflow whose server says nothing for so long, while it is waited for."""
    before = children("temporal")
    async with virtual_server() as address:
        (own,) = [each for each in children("temporal") if each not in before]
        client = await Client.connect(address, plugins=[VirtualTime()], keep_alive_config=LISTENS)
        with ThreadPoolExecutor(1) as threads:
            worker = Worker(
                client,
                task_queue="q",
                workflows=[Waits],
                activities=[works_until_told],
                activity_executor=threads,
            )
            async with worker:
                handle = await client.start_workflow(Waits.run, id="waits", task_queue="q")
                result = asyncio.ensure_future(handle.result())
                await asyncio.to_thread(begun.wait, 30)
                own.send_signal(signal.SIGSTOP)
                try:
                    await asyncio.sleep(silent_s)
                finally:
                    own.send_signal(signal.SIGCONT)
                    told.set()
                return await result


@pytest.mark.long("a client goes on asking for ten seconds by itself")
def test_who_waits_for_a_result_waits_on_when_the_server_was_silent() -> None:
    with virtual_clocks(), asyncio.Runner(loop_factory=VirtualLoop) as runner:
        assert runner.run(waits_for_a_server_that_stands(14.0)) == "done"


@pytest.mark.long("five seconds in which a server says nothing")
async def test_a_server_that_does_not_answer_in_time_is_started_again(tmp_path: Path) -> None:
    async with virtual_server(program=temporal(tmp_path, slow_starts=1)) as address:
        client = await Client.connect(address)
        assert await client.service_client.check_health()
    assert children("sleep") == []


@pytest.mark.long("five seconds in which a server says nothing")
async def test_one_that_never_answers_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "STARTS", 1)
    with pytest.raises(RuntimeError, match="did not start"):
        async with virtual_server(program=temporal(tmp_path, slow_starts=9)):
            pass
    assert children("sleep") == []
