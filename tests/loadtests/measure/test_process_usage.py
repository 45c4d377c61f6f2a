import subprocess
import sys
import threading
import time

import pytest

from loadtests.measure.observed import summarize_processes
from loadtests.measure.process_usage import MIB, Meter, Reading, Watch
from loadtests.measure.sampling import Sample

HUNGRY = """
import time
begun = time.process_time()
held = bytearray(60 * 1024 * 1024)
while time.process_time() - begun < 0.3:
    pass
print(time.process_time() - begun, flush=True)
input()
"""
"""It says how much CPU it used by its own clock."""


def test_the_cost_of_a_process_is_its_cpu_and_the_growth_of_its_memory() -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", f"input()\n{HUNGRY}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        with Meter({"hungry": child.pid}) as meter:
            print(file=child.stdin, flush=True)
            used = float(child.stdout.readline())
        cost = meter.costs()["hungry"]
    finally:
        child.kill()
        child.wait()
        child.stdin.close()
        child.stdout.close()
    assert cost.cpu == pytest.approx(used, abs=0.1)  # the system counts in hundredths, and it had to wake up
    assert 55 * MIB < cost.growth < 90 * MIB


def test_a_process_that_has_ended_keeps_its_figures() -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; sum(range(10**7)); time.sleep(60)"])
    with Meter({"gone": child.pid}) as meter:
        deadline = time.monotonic() + 30
        while meter.costs()["gone"].cpu < 0.1 and time.monotonic() < deadline:
            time.sleep(0.01)
        child.kill()
        child.wait()
    assert meter.costs()["gone"].cpu >= 0.1


def test_a_meter_that_dies_says_so_at_its_end() -> None:
    readings = iter([1])
    began = threading.Event()

    def fail(_readings: object) -> None:
        if next(readings, None) is None:
            began.set()
            raise RuntimeError("nobody reads this")

    with pytest.raises(RuntimeError, match="nobody reads this"), Meter({}, interval=0, on_reading=fail):
        assert began.wait(30)


def test_a_process_that_ends_shows_no_negative_cpu() -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", "sum(range(10**7)); print(flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    watch = Watch({"gone": child.pid})
    assert child.stdout is not None
    child.stdout.readline()
    running = watch.read()["gone"]
    child.communicate("\n")
    ended = watch.read()["gone"]
    assert running.cpu >= 0.1
    assert ended == Reading(running.cpu, 0)
    cost = summarize_processes([Sample(at, processes={"gone": each}) for at, each in ((0, running), (1, ended))], 1)
    assert cost["gone"]["cpu_s"] == 0
