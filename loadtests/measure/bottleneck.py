"""What held a run back, by evidence: the busiest of slots, CPU and task queues, with the figures that say so."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scenarios.pipeline import STEPS

BUSY = 0.85
"""A resource that is in use for this part of the time leaves little to gain elsewhere."""
OFTEN = 0.5
"""When this part of calls waits in a task queue, its places are too few: all of them never do, queues begin empty."""
ACTIVITIES_ON_A100 = frozenset(step.activity for step in STEPS if step.service == "a100")
"""They have a task queue of their own."""
PLACES = "places for calls to the A100 (A100_MAX_CONCURRENT)"


@dataclass(frozen=True)
class Evidence:
    """A resource, what part of it was in use on average (1: all of it, all the time), and the figures in words.

    From `enough` on, it is the bottleneck. A `symptom` is one only where nothing that would explain it is busy: calls
    wait in a task queue behind a busy worker too.
    """

    name: str
    use: float
    words: str
    enough: float = BUSY
    symptom: bool = False

    @property
    def tight(self) -> bool:
        """Whether there is too little of it."""
        return self.use >= self.enough


def evidence(summary: dict[str, Any]) -> list[Evidence]:
    """Return every resource that was watched, the most likely bottleneck first.

    Samples count from while try-ons arrived, but for the first fifth.
    """
    seconds = summary["plan"]["seconds"]
    samples = [sample for sample in summary["samples"] if seconds * 0.2 <= sample["at"] <= seconds]
    found = [*_slots(samples), *_cpu(samples, summary["machine"]["cpus"] or 1), *_task_queues(summary["waits"])]
    return sorted(found, key=lambda item: (not item.tight, item.tight and item.symptom, -item.use))


def _slots(samples: Sequence[dict[str, Any]]) -> Iterator[Evidence]:
    for service in sorted({name for sample in samples for name in sample["slots"]}):
        seen = [sample for sample in samples if sample["slots"].get(service)]
        if not seen:
            continue  # it has as many slots as it is asked for
        use = sum(sample["busy"][service] / sample["slots"][service] for sample in seen) / len(seen)
        waiting = sum(sample["waiting"][service] for sample in seen) / len(seen)
        slots = seen[-1]["slots"][service]
        words = f"{slots} slot{'s' if slots > 1 else ''}, {use:.0%} busy, {waiting:.1f} calls waiting on average"
        yield Evidence(f"slots of {service}", use, words)


def _cpu(samples: Sequence[dict[str, Any]], cpus: int) -> Iterator[Evidence]:
    if len(samples) < 2 or not samples[0]["cpu"]:
        return
    first, last = samples[0], samples[-1]
    length = last["at"] - first["at"]
    shares = {name: (last["cpu"][name] - cpu) / length for name, cpu in first["cpu"].items()}
    # Python and Node run on one CPU each; Temporal takes all that there are.
    for kind, title, fills in (("worker", "the", 1), ("gateway", "the", 1), ("azurite", "", 1), ("temporal", "", cpus)):
        mine = {name: share for name, share in shares.items() if name == kind or name.startswith(f"{kind}-")}
        if not mine:
            continue
        use = min(1.0, sum(mine.values()) / len(mine) / fills)
        if len(mine) > 1:
            words = " and ".join(f"{name} {share:.0%}" for name, share in mine.items())
            yield Evidence(f"CPU of the {len(mine)} {kind}s", use, f"{words} of one CPU")
        else:
            name = f"CPU of {title} {kind}" if title else f"CPU of {kind.capitalize()}"
            yield Evidence(name, use, f"{sum(mine.values()):.0%} of one CPU{'' if fills == 1 else f', of {fills}'}")
    use = sum(sample["machine"] for sample in samples) / len(samples)
    most = sorted(shares, key=lambda name: -shares[name])[:3]
    others = max(0.0, use - sum(shares.values()) / cpus)
    words = ", ".join(f"{name} {shares[name]:.0%} of one" for name in most)
    words += f"; load generators and other programs {others:.0%} of all"
    # A single program that takes nearly all of it is the better name, and what others take says nothing of the system.
    foreign = others > use / 2 or max(shares.values()) / cpus >= BUSY
    yield Evidence(f"the machine's {cpus} CPUs", use, words, symptom=foreign)


def _task_queues(waits: Mapping[str, Any]) -> Iterator[Evidence]:
    activities = waits.get("activities", {})
    for name, mine in (
        (PLACES, ACTIVITIES_ON_A100.intersection(activities)),
        ("places for activities in the workers (WORKER_MAX_CONCURRENT)", activities.keys() - ACTIVITIES_ON_A100),
    ):
        if not mine:
            continue
        waited = {activity: activities[activity]["queued"].get("mean_s") or 0.0 for activity in mine}
        most = max(mine, key=lambda activity: (activities[activity]["waited_share"] >= OFTEN, waited[activity]))
        share, queued = activities[most]["waited_share"], waited[most]
        called = "first workflow tasks" if most == "workflow" else most
        words = f"{share:.0%} of {called} waited in their task queue, {queued:.1f} s on average"
        yield Evidence(name, share, words, enough=OFTEN, symptom=True)


def verdict(summary: dict[str, Any]) -> str:
    """Say in a sentence what is busiest, and whether it is the bottleneck."""
    found = evidence(summary)
    if not found:
        return "Nothing inside the system was watched: give the fakes' addresses, or run on the embedded stack."
    first = found[0]
    if first.tight:
        told = f"The bottleneck: {first.name} ({first.words})."
        also = [f"{item.name} ({item.words})" for item in found[1:] if item.tight]
        told += f" Short too: {'; '.join(also)}." if also else ""
    else:
        told = f"No resource was the bottleneck; the busiest: {first.name} ({first.words})."
    cpu = any(sample["cpu"] for sample in summary["samples"])
    blind = [name for name, seen in (("CPU", cpu), ("task queues", summary["waits"])) if not seen]
    return told + (f" Not watched: {', '.join(blind)}." if blind else "")
