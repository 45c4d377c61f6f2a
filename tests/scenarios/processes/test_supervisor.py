"""The supervisor with small stand-ins for the real programs."""

import asyncio
import contextlib
import dataclasses
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from scenarios.processes.child import Probe, Program, StackError, talking
from scenarios.processes.supervisor import Supervisor

# Notes its start and its end in a file, so that a test sees the order.
STAND_IN = """
import os, signal, sys, time
name, notes = sys.argv[1:3]
def note(word):
    with open(notes, "a") as file:
        file.write(f"{word} {name}\\n")
def end(*_):
    note("stop")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
note("start")
open(f"{notes}.{name}.{os.getpid()}", "w").close()
time.sleep(600)
"""
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);"


class Bench:
    """Makes stand-ins that share one file of notes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.notes = folder / "notes"
        # What the session's fixtures keep running is not this bench's.
        self.others = set(psutil.Process().children())

    def program(
        self, name: str, code: str = STAND_IN, *, healthy: Probe | None = None, start_limit: float = 30
    ) -> Program:
        async def is_ready(pid: int) -> bool:
            return self.is_ready(name, pid)

        return Program(
            name=name,
            words=[sys.executable, "-I", "-S", "-c", code, name, str(self.notes)],
            environment={},
            healthy=healthy or is_ready,
            addresses={},
            start_limit=start_limit,
            stop_grace=0.5 if DEAF in code else 20,
        )

    def is_ready(self, name: str, pid: int) -> bool:
        return Path(f"{self.notes}.{name}.{pid}").exists()

    def read(self) -> list[str]:
        return self.notes.read_text().splitlines() if self.notes.exists() else []

    def no_child_left(self) -> bool:
        children = set(psutil.Process().children()) - self.others
        return not [child for child in children if child.status() != psutil.STATUS_ZOMBIE]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - what other processes do sets no event of ours
            await asyncio.sleep(0.01)


async def never(_pid: int) -> bool:
    return False


async def always(_pid: int) -> bool:
    return True


async def test_stages_start_one_after_the_other_and_stop_in_reverse(bench: Bench, tmp_path: Path) -> None:
    announced: list[str] = []
    stages = [[bench.program("store"), bench.program("queue")], [bench.program("worker")], [bench.program("gateway")]]
    async with Supervisor(stages, home=tmp_path, announce=lambda child: announced.append(child.name)):
        assert set(announced[:2]) == {"store", "queue"}
        assert announced[2:] == ["worker", "gateway"]
        assert bench.read()[2:] == ["start worker", "start gateway"]
    assert bench.read()[4:6] == ["stop gateway", "stop worker"]
    assert set(bench.read()[6:]) == {"stop store", "stop queue"}
    assert bench.no_child_left()


async def test_a_program_that_ends_early_is_named_with_its_log_and_the_others_are_stopped(
    bench: Bench, tmp_path: Path
) -> None:
    broken = bench.program(
        "broken", "print('first line', flush=True); raise SystemExit('no such table')", healthy=never
    )
    with pytest.raises(StackError) as error:
        async with Supervisor([[bench.program("store")], [broken]], home=tmp_path):
            pytest.fail("it must not come up")
    assert "broken ended before it was healthy (exit code 1)" in str(error.value)
    assert str(tmp_path / "broken.log") in str(error.value)
    assert "    first line\n    no such table" in str(error.value)
    assert bench.read() == ["start store", "stop store"]
    assert bench.no_child_left()


async def test_a_program_that_is_never_healthy_is_given_up(bench: Bench, tmp_path: Path) -> None:
    mute = bench.program("mute", "import time; time.sleep(600)", healthy=never, start_limit=0.2)
    with pytest.raises(StackError, match=r"mute is not healthy after 0\.2 s"):
        async with Supervisor([[bench.program("store"), mute]], home=tmp_path):
            pytest.fail("it must not come up")
    assert bench.no_child_left()


async def test_an_answer_from_another_server_does_not_count_as_health(bench: Bench, tmp_path: Path) -> None:
    async def answered_by_another(pid: int) -> bool:
        await until(lambda: is_gone(pid))
        return True

    loser = bench.program("loser", "raise SystemExit('address in use')", healthy=answered_by_another)
    with pytest.raises(StackError, match=r"(?s)loser ended while it was asked.*address in use"):
        async with Supervisor([[loser]], home=tmp_path):
            pytest.fail("it must not come up")


async def test_a_death_while_up_is_reported_by_name_with_the_log(bench: Bench, tmp_path: Path) -> None:
    talkative = bench.program("talkative", "print('what happened', flush=True)\n" + STAND_IN)
    async with Supervisor([[talkative, bench.program("other")]], home=tmp_path) as stack:
        os.kill(stack["talkative"].pid, signal.SIGKILL)
        async with asyncio.timeout(60):
            report = str(await stack.first_death())
        assert "talkative ended by itself (SIGKILL)" in report
        assert "what happened" in report
        assert stack["talkative"].died
        assert not stack["other"].died
    assert bench.no_child_left()


async def test_a_death_while_others_start_ends_the_start(bench: Bench, tmp_path: Path) -> None:
    async def kill_the_store(_pid: int) -> bool:
        for child in psutil.Process().children():
            with contextlib.suppress(psutil.NoSuchProcess):  # it is dead already, which nobody has noticed yet
                if "store" in child.cmdline():
                    child.kill()
        return False

    waiting = bench.program("waiting", healthy=kill_the_store, start_limit=20)
    with pytest.raises(StackError, match=r"store ended by itself \(SIGKILL\)"):
        async with Supervisor([[bench.program("store")], [waiting]], home=tmp_path):
            pytest.fail("it must not come up")
    assert bench.no_child_left()


async def test_a_process_that_was_killed_on_purpose_is_no_death_and_starts_again(bench: Bench, tmp_path: Path) -> None:
    async with Supervisor([[bench.program("worker")]], home=tmp_path) as stack:
        first = stack["worker"].pid
        await stack.kill("worker")
        assert not psutil.pid_exists(first)
        assert not stack["worker"].running
        await stack.start("worker")
        assert stack["worker"].pid != first
        await stack.stop("worker")
        assert bench.read() == ["start worker", "start worker", "stop worker"]
        await stack.start("worker")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(stack.first_death(), 0.05)
    assert bench.no_child_left()


async def test_a_process_deaf_to_sigterm_is_killed_with_all_that_it_started(bench: Bench, tmp_path: Path) -> None:
    deaf = STAND_IN.replace("signal.signal(signal.SIGTERM, end)", "signal.signal(signal.SIGTERM, signal.SIG_IGN)")
    mother = bench.program("mother", DEAF + "import os; os.fork();" + deaf)
    async with Supervisor([[mother]], home=tmp_path) as stack:
        (grandchild,) = psutil.Process(stack["mother"].pid).children()
    await until(lambda: is_gone(grandchild.pid))
    assert bench.no_child_left()


async def test_a_paused_process_can_be_stopped(bench: Bench, tmp_path: Path) -> None:
    async with Supervisor([[bench.program("worker")]], home=tmp_path) as stack:
        stack["worker"].signal(signal.SIGSTOP)
        await until(lambda: psutil.Process(stack["worker"].pid).status() == psutil.STATUS_STOPPED)
    assert bench.read() == ["start worker", "stop worker"]


async def test_cancelled_while_starting_leaves_nothing_running(bench: Bench, tmp_path: Path) -> None:
    async def use() -> None:
        async with Supervisor([[bench.program("store")], [bench.program("mute", healthy=never)]], home=tmp_path):
            pytest.fail("it must not come up")

    task = asyncio.create_task(use())
    await until(lambda: "start mute" in bench.read())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert bench.read()[2:] == ["stop mute", "stop store"]
    assert bench.no_child_left()


async def test_cancelled_again_while_stopping_kills_at_once(bench: Bench, tmp_path: Path) -> None:
    slow = bench.program("slow", STAND_IN.replace('note("stop")', 'note("stopping"); time.sleep(600)'))
    up = asyncio.Event()

    async def use() -> None:
        async with Supervisor([[slow]], home=tmp_path):
            up.set()
            await asyncio.sleep(600)

    task = asyncio.create_task(use())
    await up.wait()
    task.cancel()
    await until(lambda: "stopping slow" in bench.read())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 10)
    assert bench.no_child_left()


async def test_nothing_outlives_a_supervisor_that_is_killed(bench: Bench, tmp_path: Path) -> None:
    script = f"""
import asyncio, sys
from pathlib import Path
from scenarios.processes.child import Program
from scenarios.processes.supervisor import Supervisor
async def is_ready(pid):
    return Path({str(bench.notes)!r} + f".worker.{{pid}}").exists()
async def main():
    words = [sys.executable, "-I", "-S", "-c", {STAND_IN!r}, "worker", {str(bench.notes)!r}]
    worker = Program(name="worker", words=words, environment={{}}, healthy=is_ready, addresses={{}})
    async with Supervisor([[worker]], home=Path({str(tmp_path)!r})) as stack:
        print(stack["worker"].pid, flush=True)
        await asyncio.sleep(600)
asyncio.run(main())
"""
    supervisor = await asyncio.create_subprocess_exec(sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE)
    assert supervisor.stdout is not None
    worker = int(await supervisor.stdout.readline())
    supervisor.kill()
    await supervisor.communicate()
    await until(lambda: is_gone(worker))


async def test_an_unknown_name_says_which_there_are(bench: Bench, tmp_path: Path) -> None:
    async with Supervisor([[bench.program("worker")]], home=tmp_path) as stack:
        with pytest.raises(KeyError, match="no process is named 'wroker'; there are worker"):
            await stack.kill("wroker")
        with pytest.raises(StackError, match="worker is running already"):
            await stack.start("worker")


ECHO = "import sys\nprint('ready', flush=True)\nfor line in sys.stdin: print(line.upper(), end='', flush=True)\n"


async def test_a_program_that_talks_is_told_and_heard(bench: Bench, tmp_path: Path) -> None:
    program = dataclasses.replace(bench.program("echo", ECHO), talks=True)
    async with talking(program, log=tmp_path / "echo.log") as child:
        lines = child.lines()
        assert await anext(lines) == "ready"
        child.tell("hello")
        assert await anext(lines) == "HELLO"
        child.hang_up()
        assert await anext(lines, None) is None
        assert await child.ended() == 0
    assert bench.no_child_left()


async def test_one_that_breaks_off_has_its_errors_in_its_log(bench: Bench, tmp_path: Path) -> None:
    program = dataclasses.replace(bench.program("broken", "raise SystemExit('no such table')"), talks=True)
    async with talking(program, log=tmp_path / "broken.log") as child:
        assert await child.ended() == 1
    assert child.tail() == ["no such table"]


@pytest.mark.long("it is given five seconds")
async def test_one_that_goes_on_talking_is_stopped(bench: Bench, tmp_path: Path) -> None:
    program = dataclasses.replace(bench.program("echo", ECHO), talks=True)
    async with talking(program, log=tmp_path / "echo.log") as child:
        waiting = asyncio.create_task(child.ended())
        waiting.cancel()  # who stops waiting for the end stops nobody else
        await asyncio.gather(waiting, return_exceptions=True)
        assert child.running
    assert not child.running
    assert bench.no_child_left()
