"""What counts as growth: of one process, from its second reading on."""

from scenarios.chaos.growth import OURS, THEIRS, Growth, Reading, Readings


def readings_of(*taken: tuple[int, int, float]) -> Readings:
    """Readings of a worker: process id, open files, memory."""
    readings = Readings()
    for pid, files, memory in taken:
        readings.take({"worker": Reading(pid, files, memory)})
    return readings


def test_the_first_reading_fills_pools_and_does_not_count() -> None:
    grown = readings_of((1, 10, 100.0), (1, 30, 150.0), (1, 31, 155.0), (1, 32, 151.0)).growth()
    assert grown == [Growth("worker", files=2, memory_mb=1.0, over=2)]
    assert not grown[0].excess
    assert str(grown[0]) == "worker +2 files +1 MB over 2 faults"


def test_a_process_that_follows_a_killed_one_is_looked_at_on_its_own() -> None:
    killed = [(1, 90, 900.0)] * 3
    after = [(2, 10, 100.0), (2, 20, 110.0), (2, 20 + OURS.files + 1, 110.0)]
    (grown,) = readings_of(*killed, *after).growth()
    assert (grown.files, grown.over, grown.excess) == (OURS.files + 1, 1, True)


def test_memory_counts_too_and_the_worst_process_is_told() -> None:
    worst = [(1, 10, 100.0), (1, 10, 100.0), (1, 10, 101.0 + OURS.memory_mb)]
    (grown,) = readings_of(*worst, *[(2, 10, 100.0)] * 5).growth()
    assert grown.excess
    assert grown.over == 1


def test_who_lived_through_one_fault_alone_has_nothing_to_compare() -> None:
    assert readings_of((1, 10, 100.0), (1, 99, 999.0)).growth() == []


def test_one_look_that_finds_more_is_no_growth_and_a_slow_leak_is() -> None:
    steady = [(1, 20, 100.0)] * 11
    (peak,) = readings_of(*steady, (1, 20 + OURS.files + 5, 100.0)).growth()
    assert (peak.files, peak.excess) == (0, False)
    (leak,) = readings_of(*[(1, 20 + number // 4, 100.0) for number in range(40)]).growth()
    assert (leak.files, leak.excess) == (7, True)


def test_the_saw_of_a_collected_heap_is_no_growth_and_a_leak_below_it_is() -> None:
    saw = [150.0 + 8 * (number % 10) for number in range(35)]
    (collected,) = readings_of(*[(1, 20, memory) for memory in saw]).growth()
    assert (collected.memory_mb, collected.excess) == (0, False)
    leaking = [memory + 2 * number for number, memory in enumerate(saw)]
    (leak,) = readings_of(*[(1, 20, memory) for memory in leaking]).growth()
    assert leak.excess


def test_servers_of_others_may_keep_more() -> None:
    readings = Readings()
    for files in (10, 10, 10 + OURS.files + 1):
        readings.take({"azurite": Reading(1, files, 100.0), "gateway": Reading(2, files, 100.0)})
    assert {grown.process: grown.excess for grown in readings.growth()} == {"azurite": False, "gateway": True}
    assert THEIRS.files > OURS.files
