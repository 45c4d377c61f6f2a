"""What the doctor found, and how a person reads it."""

from dataclasses import dataclass
from enum import Enum


class Verdict(Enum):
    """How good a finding is. A warning does not stop a try-on, or stops some only."""

    GOOD = "ok"
    WARNING = "warning"
    BAD = "BAD"


@dataclass(frozen=True)
class Finding:
    """One part of the configuration. `kind` says fake, real, or what else it is; `advice` what to do about it."""

    part: str
    address: str
    verdict: Verdict
    kind: str
    says: str
    advice: str = ""


def render(findings: list[Finding]) -> str:
    """Return a line for each finding, advice below it, and a summary."""
    part = max(len(finding.part) for finding in findings)
    kind = max(len(finding.kind) for finding in findings)
    lines = []
    for finding in findings:
        verdict = finding.verdict.value
        lines.append(f"{verdict:7}  {finding.part:{part}}  {finding.kind:{kind}}  {finding.address}")
        lines.append(f"{'':{7 + 2 + part + 2 + kind}}  {finding.says}")
        if finding.advice:
            lines.append(f"{'':{7 + 2 + part + 2 + kind}}  -> {finding.advice}")
    return "\n".join([*lines, "", summary(findings)])


def summary(findings: list[Finding]) -> str:
    """Return one sentence: whether try-ons will work, and whether what they make is real."""
    bad = [finding.part for finding in findings if finding.verdict is Verdict.BAD]
    warned = [finding.part for finding in findings if finding.verdict is Verdict.WARNING]
    fakes = [finding.part for finding in findings if finding.kind == "fake"]
    works = f"Try-ons will fail: {', '.join(bad)}." if bad else "Everything that a try-on needs answers."
    if warned:
        works += f" Look at: {', '.join(warned)}."
    return works + (f" Not real: {', '.join(fakes)}." if fakes else " No fake among them.")
