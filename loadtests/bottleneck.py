"""What held a run back, by evidence: the busiest of slots, queues and CPU, with the figures that say so."""

from dataclasses import dataclass
from typing import Any

BUSY = 0.85
"""A resource that is in use for this part of the time leaves little to gain elsewhere."""


@dataclass(frozen=True)
class Evidence:
    """A resource, what part of it was in use on average (1: all of it, all the time), and the figures in words."""

    name: str
    use: float
    words: str


def evidence(summary: dict[str, Any]) -> list[Evidence]:
    """Return every resource that was watched, the busiest first. Only samples from while try-ons arrived count."""
    seconds = summary["plan"]["seconds"]
    samples = [sample for sample in summary["samples"] if seconds * 0.2 <= sample["at"] <= seconds]
    found = []
    for service in sorted({name for sample in samples for name in sample["slots"]}):
        seen = [sample for sample in samples if sample["slots"].get(service)]
        if not seen:
            continue  # it has as many slots as it is asked for
        use = sum(sample["busy"][service] / sample["slots"][service] for sample in seen) / len(seen)
        waiting = sum(sample["waiting"][service] for sample in seen) / len(seen)
        slots = seen[-1]["slots"][service]
        words = f"{slots} slot{'s' if slots > 1 else ''}, {use:.0%} busy, {waiting:.1f} calls waiting on average"
        found.append(Evidence(f"slots of {service}", use, words))
    if len(samples) > 1 and samples[0]["cpu"]:
        first, last = samples[0], samples[-1]
        length = last["at"] - first["at"]
        shares = {name: (last["cpu"][name] - cpu) / length for name, cpu in first["cpu"].items()}
        cpus = summary["machine"]["cpus"] or 1
        most = sorted(shares, key=lambda name: -shares[name])[:3]
        use = sum(sample["machine"] for sample in samples) / len(samples)
        others = max(0.0, use - sum(shares.values()) / cpus)
        words = ", ".join(f"{name} {shares[name]:.0%} of one" for name in most)
        words += f"; load generators and other programs {others:.0%} of all"
        found.append(Evidence(f"the machine's {cpus} CPUs", use, words))
        found += [  # each has one Python interpreter, which fills one CPU at most
            Evidence(f"CPU of the {name}", shares[name], f"{shares[name]:.0%} of one CPU")
            for name in ("worker", "gateway")
            if name in shares
        ]
    return sorted(found, key=lambda item: -item.use)


def verdict(summary: dict[str, Any]) -> str:
    """Say in a sentence what is busiest, and whether it is the bottleneck."""
    found = evidence(summary)
    if not found:
        return "Nothing inside the system was watched: give the fakes' addresses, or run on the embedded stack."
    first = found[0]
    if first.use < BUSY:
        return f"No resource was the bottleneck; the busiest: {first.name} ({first.words})."
    return f"The bottleneck: {first.name} ({first.words})."
