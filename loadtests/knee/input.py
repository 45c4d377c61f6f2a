"""What the knee is told, checked before anything is started: its thresholds, the fakes' profiles, its options."""

import argparse
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from fakes.kit.rules import RulesInvalid
from fakes.profiles import read_profile
from fakes.registry import SERVICES
from loadtests.plan import Plan
from loadtests.thresholds import Percentiles, Thresholds, read_file

OWN_STACK = {"time_scale": 1.0, "workers": 1, "a100_max_concurrent": 50}
"""Options that say how a stack of one's own is started, and what they are unless said.

The places in the worker are many, so that calls wait at the A100, where they are seen.
"""


class KneeError(Exception):
    """What the knee was told makes no sense; the message says what, where and what to do."""


class KneeThresholds(Thresholds):
    """A thresholds file with one line more: how many seconds a try-on may take over what it took at the lowest rate."""

    over_lowest: Percentiles = Percentiles()

    def beside(self, lowest: dict[str, Any]) -> Thresholds:
        """Return plain thresholds, given the figures of the transaction at the lowest rate. The stricter one counts."""
        transaction = self.transaction.model_dump()
        for name, over in self.over_lowest.model_dump(exclude_none=True).items():
            transaction[name] = min(transaction[name] or float("inf"), lowest[name] + over)
        fields = self.model_dump(exclude={"over_lowest", "transaction"})
        return Thresholds.model_validate({**fields, "transaction": transaction})


def load_limits(path: Path) -> KneeThresholds:
    """Read the thresholds of a rate.

    Raises:
        ThresholdsError: the file cannot be read, or a line of it is wrong.
        KneeError: no queue decides any of them, so that nothing can be foreseen.
    """
    found = read_file(path, KneeThresholds)
    decided = found.throughput_share is not None or any(
        part.model_dump(exclude_none=True) for part in (found.over_lowest, found.transaction)
    )
    if not decided:
        raise KneeError(
            f"the thresholds {path}: no percentile of the transaction and no throughput_share, so no queue decides "
            "what breaks first and nothing can be foreseen: add one"
        )
    return found


def load_profiles(path: Path) -> dict[str, Any]:
    """Read the profiles of the fakes by service.

    Raises:
        KneeError: the file cannot be read, is empty, names a service that has no fake, or a profile of it is wrong.
    """
    try:
        told = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise KneeError(f"the profiles {path} cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise KneeError(f"the profiles {path} are no YAML: {error}") from None
    if not isinstance(told, dict) or not told:
        raise KneeError(f"the profiles {path} are empty: give each service its profile, as one-a100.yaml does")
    for service, profile in told.items():
        if service not in SERVICES:
            raise KneeError(f"the profiles {path} name {service!r}, but the fakes are {', '.join(SERVICES)}")
        try:
            read_profile(profile, service)
        except RulesInvalid as invalid:
            first = invalid.errors[0]
            raise KneeError(f"the profiles {path}: {service}: {first.field}: {first.message}") from None
    return told


def settle(chosen: argparse.Namespace) -> None:
    """Refuse options that contradict each other, and fill in those that were left out.

    Raises:
        KneeError: naming the option and what to say instead.
    """
    _agree(chosen)
    chosen.profile = "instant"  # until the fakes are given theirs
    for name, usual in OWN_STACK.items():
        if getattr(chosen, name) is None:
            setattr(chosen, name, usual)
    least = {"from_rate": 0, "factor": 1, "most": 1} | dict.fromkeys(OWN_STACK, 0)
    for name, bound in least.items():
        if not bound < getattr(chosen, name) < float("inf"):
            raise KneeError(f"{_option(name)} is more than {bound}, not {getattr(chosen, name)}")
    if any(rate <= 0 for rate in chosen.for_rate):
        raise KneeError("--for-rate is more than 0")
    if chosen.out.exists() and not chosen.out.is_dir():
        raise KneeError(f"--out {chosen.out} is a file; the knee needs a folder")


def _agree(chosen: argparse.Namespace) -> None:
    if chosen.profile is not None:
        raise KneeError("--profile: the knee gives the fakes the profiles of a file: say --profiles FILE")
    if chosen.host:
        for name in OWN_STACK:
            if getattr(chosen, name) is not None:
                raise KneeError(
                    f"{_option(name)} is for a stack of one's own; what runs at --host has it already: leave it out"
                )
        if not chosen.fake:
            raise KneeError("the knee needs the control planes of the fakes at --host: say --fake SERVICE=URL for each")
        return
    given = {"temporal": chosen.temporal is not None}  # without an address it takes that of the environment
    for name in ("fake", "temporal", "temporal_ui", "api_key"):
        if given.get(name, getattr(chosen, name)):
            raise KneeError(f"{_option(name)} belongs to a deployment: say --host, or leave it out")


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def refused(invalid: ValidationError) -> KneeError:
    """Return the error for a plan that the options cannot make, by the names of the options."""
    known = set(Plan.model_fields)
    words = []
    for problem in invalid.errors(include_url=False):
        name = str(problem["loc"][0]) if problem["loc"] else ""
        words.append(f"{_option(name)}: {problem['msg']}" if name in known else problem["msg"])
    return KneeError("; ".join(words))
