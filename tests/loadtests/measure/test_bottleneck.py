"""Samples and waits to the name of what held a run back."""

from collections.abc import Mapping
from typing import Any

import pytest

from loadtests.measure.bottleneck import evidence, verdict
from loadtests.measure.observed import summarize_waits
from loadtests.measure.process_usage import Reading
from loadtests.measure.sampling import Sample
from loadtests.measure.summary import Outcome, summarize
from loadtests.measure.waits import Waits
from loadtests.plan import Plan
from loadtests.record import Record

PLAN = Plan(host="http://127.0.0.1:1", rate=1, seconds=60)
CPUS = 4


def summary(
    cpu: Mapping[str, float] | None = None,
    *,
    machine: float = 0.4,
    busy: int = 0,
    slots: int = 1,
    waits: Mapping[str, Waits] | None = None,
) -> dict[str, Any]:
    """A run of a minute. `cpu`: what share of one CPU each process used; `busy`: how many of the A100's slots."""
    samples = [
        Sample(
            1000.0 + at,
            {"a100": slots},
            {"a100": busy},
            {"a100": 0},
            {name: Reading(share * at, 10**8) for name, share in (cpu or {}).items()},
            machine=machine,
        )
        for at in range(60)
    ]
    record = Record(0, "near", intended=1000.0, ended=1005.0, outcome="completed", right=True)
    made = summarize(PLAN, Outcome([record], 1000.0, []), samples)
    read = {"waits": summarize_waits(waits, len(waits))} if waits else {}
    return made | read | {"machine": made["machine"] | {"cpus": CPUS}}


def waited(of: Mapping[str, float], took: float = 1.0, calls: int = 20) -> dict[str, Waits]:
    """Histories in which each of these activities waited so long in its task queue."""
    return {f"w{number}": Waits(queued_for=dict(of), run_in=dict.fromkeys(of, took)) for number in range(calls)}


def first(of: dict[str, Any]) -> str:
    return evidence(of)[0].name


def test_slots_that_are_taken_all_the_time_are_the_bottleneck() -> None:
    assert verdict(summary({"worker": 0.5}, busy=1)).startswith("The bottleneck: slots of a100 (1 slot, 100% busy")


def test_nothing_busy_is_no_bottleneck() -> None:
    assert verdict(summary({"worker": 0.5})).startswith(
        "No resource was the bottleneck; the busiest: CPU of the worker"
    )


@pytest.mark.parametrize("name", ["worker", "gateway"])
def test_one_interpreter_fills_one_cpu(name: str) -> None:
    assert verdict(summary({name: 0.95, "temporal": 0.3})).startswith(f"The bottleneck: CPU of the {name}")


def test_several_workers_are_seen_as_one_resource() -> None:
    run = summary({"worker-1": 0.97, "worker-2": 0.91, "gateway": 0.4})
    assert verdict(run).startswith("The bottleneck: CPU of the 2 workers (worker-1 97% and worker-2 91% of one CPU)")


def test_one_busy_worker_beside_an_idle_one_is_not_the_bottleneck_since_the_idle_one_takes_the_next_task() -> None:
    run = summary({"worker-1": 0.97, "worker-2": 0.2})
    assert verdict(run).startswith("No resource was the bottleneck")


def test_azurite_fills_one_cpu_as_its_event_loop_does() -> None:
    run = summary({"azurite": 0.98, "worker": 0.5})
    assert verdict(run).startswith("The bottleneck: CPU of Azurite (98% of one CPU")


def test_temporal_fills_the_machine_and_is_named_instead_of_it() -> None:
    run = summary({"temporal": 3.6, "worker": 0.2}, machine=0.97)
    assert verdict(run).startswith("The bottleneck: CPU of Temporal (360% of one CPU")
    assert "the machine's 4 CPUs" in {item.name for item in evidence(run)}


def test_temporal_on_one_of_four_cpus_is_no_bottleneck() -> None:
    assert verdict(summary({"temporal": 1.0, "worker": 0.2})).startswith("No resource was the bottleneck")


def test_a_machine_that_several_share_is_named_itself_with_who_used_it() -> None:
    run = summary({"temporal": 1.6, "worker": 0.8, "azurite": 0.7}, machine=0.99)
    assert verdict(run).startswith("The bottleneck: the machine's 4 CPUs (temporal 160% of one, worker 80% of one")


def test_a_machine_that_other_programs_use_is_named_after_what_is_the_system_s_own() -> None:
    told = verdict(summary({"temporal": 0.4, "worker": 0.3}, machine=0.99, busy=1))
    assert told.startswith("The bottleneck: slots of a100")
    assert "Short too: the machine's 4 CPUs (temporal 40% of one, worker 30% of one; load generators" in told
    assert verdict(summary({"temporal": 0.4}, machine=0.99)).startswith("The bottleneck: the machine's 4 CPUs")


def test_calls_that_wait_while_the_a100_has_free_slots_want_a_higher_a100_max_concurrent() -> None:
    run = summary(
        {"worker": 0.3},
        busy=2,
        slots=8,
        waits=waited({"refine_mask": 0.5, "generate_images": 6.0, "resize_image": 0.01}),
    )
    told = verdict(run)
    assert told.startswith("The bottleneck: places for calls to the A100 (A100_MAX_CONCURRENT)")
    assert "100% of generate_images waited" in told
    assert "6.0 s on average" in told


def test_calls_that_wait_because_the_a100_is_busy_do_not() -> None:
    run = summary({"worker": 0.3}, busy=1, waits=waited({"generate_images": 6.0}))
    assert first(run) == "slots of a100"


def test_activities_that_wait_for_a_worker_that_is_not_busy_want_more_of_its_places() -> None:
    run = summary({"worker": 0.3}, waits=waited({"upload_to_azure": 2.0, "generate_images": 0.01}))
    assert verdict(run).startswith("The bottleneck: places for activities in the workers (WORKER_MAX_CONCURRENT)")


def test_activities_that_wait_for_a_busy_worker_do_not() -> None:
    run = summary({"worker": 0.99}, waits=waited({"upload_to_azure": 2.0}))
    assert first(run) == "CPU of the worker"


def test_a_wait_of_some_milliseconds_is_no_queue() -> None:
    run = summary({"worker": 0.3}, waits=waited({"upload_to_azure": 0.2, "generate_images": 0.2}))
    assert verdict(run).startswith("No resource was the bottleneck")


def test_what_was_not_watched_is_said() -> None:
    assert "Not watched: CPU, task queues." in verdict(summary())
    assert "Not watched" not in verdict(summary({"worker": 0.3}, waits=waited({"generate_images": 0.01})))
    elsewhere = summarize(PLAN, Outcome([], 1000.0, []))
    assert verdict(elsewhere).startswith("Nothing inside the system was watched")
