"""The verdict: is what a run measured within the thresholds of a file?"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

DEFAULT = Path(__file__).with_name("thresholds.yaml")


class ThresholdsError(ValueError):
    """A thresholds file cannot be used; the message says why."""


class Percentiles(BaseModel):
    """Limits in seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    p50_s: float | None = Field(default=None, gt=0)
    p95_s: float | None = Field(default=None, gt=0)
    p99_s: float | None = Field(default=None, gt=0)


class Thresholds(BaseModel):
    """The file. What is not named is not looked at."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
    transaction: Percentiles = Percentiles()
    start: Percentiles = Percentiles()
    status: Percentiles = Percentiles()
    wrong_share: float | None = Field(default=None, ge=0, le=1)
    status_error_share: float | None = Field(default=None, ge=0, le=1)
    censored_share: float | None = Field(default=0.0, ge=0, le=1)
    dropped_share: float | None = Field(default=0.0, ge=0, le=1)
    fakes_share: float | None = Field(default=None, ge=0, le=1)
    throughput: float | None = Field(default=None, gt=0)
    throughput_share: float | None = Field(default=None, ge=0, le=1)


File = TypeVar("File", bound=Thresholds)


@dataclass(frozen=True)
class Judged:
    """One threshold against one figure. `figure` is None when there was nothing to measure, which breaks it."""

    name: str
    limit: float
    figure: float | None
    kept: bool


def load_thresholds(path: Path) -> Thresholds:
    """Read a thresholds file.

    Raises:
        ThresholdsError: it cannot be read, or a line of it is wrong.
    """
    return read_file(path, Thresholds)


def read_file(path: Path, model: type[File]) -> File:
    """Read a thresholds file that may have more lines than most, as the model says.

    Raises:
        ThresholdsError: it cannot be read, or a line of it is wrong.
    """
    try:
        return model.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    except OSError as error:
        raise ThresholdsError(f"the thresholds {path} cannot be read: {error.strerror}") from None
    except yaml.YAMLError as error:
        raise ThresholdsError(f"the thresholds {path} are no YAML: {error}") from None
    except ValidationError as invalid:
        problem = invalid.errors(include_url=False)[0]
        place = ".".join(str(part) for part in problem["loc"])
        raise ThresholdsError(f"the thresholds {path}: {place}: {problem['msg']}") from None


def judge(thresholds: Thresholds, summary: dict[str, Any]) -> list[Judged]:
    """Return each threshold with its figure. A run is good when all are kept."""
    found = []
    measured = {"transaction": summary["transaction"]} | {
        part: summary["requests"][part] for part in ("start", "status")
    }
    for part, figures in measured.items():
        for name, limit in getattr(thresholds, part).model_dump(exclude_none=True).items():
            figure = figures.get(name)
            found.append(
                Judged(f"{part} {name.removesuffix('_s')}", limit, figure, figure is not None and figure <= limit)
            )
    for name in ("wrong_share", "status_error_share", "censored_share", "dropped_share"):
        limit = getattr(thresholds, name)
        if limit is not None:
            found.append(Judged(name.replace("_", " "), limit, summary[name], summary[name] <= limit))
    fakes = summary["fakes"]["share"]
    if thresholds.fakes_share is not None and fakes is not None:  # real services take what they take
        found.append(Judged("fakes share", thresholds.fakes_share, fakes, fakes <= thresholds.fakes_share))
    if workers := summary["load_workers"]:  # whatever the file says: a part of the load is missing
        died = sum(worker["died"] for worker in workers)
        found.append(Judged("load workers that died", 0, died, not died))
    for name in ("throughput", "throughput_share"):
        limit, figure = getattr(thresholds, name), summary[name]
        if limit is not None:
            found.append(Judged(name.replace("_", " "), limit, figure, figure is not None and figure >= limit))
    return found
