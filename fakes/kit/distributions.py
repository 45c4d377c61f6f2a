"""Durations by distribution, drawn from a number in [0, 1): the same number gives the same duration."""

import math
from statistics import NormalDist
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, NonNegativeFloat, model_validator

NORMAL = NormalDist()


class Lognormal(BaseModel):
    """A long tail, by its median and its 99th percentile in seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    median: float = Field(gt=0)
    p99: float = Field(gt=0)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.p99 < self.median:
            raise ValueError("p99 is below the median")
        return self


class Distribution(BaseModel):
    """A duration in seconds: exactly one of the fields, or a plain number, which is `fixed`."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    fixed: NonNegativeFloat | None = None
    uniform: tuple[NonNegativeFloat, NonNegativeFloat] | None = None
    lognormal: Lognormal | None = None
    exponential: float | None = Field(default=None, gt=0)
    """The mean."""
    samples: list[NonNegativeFloat] | None = Field(default=None, min_length=1)
    """Measured durations, each as likely as the others."""

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        given = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError("give a number, or exactly one of fixed, uniform, lognormal, exponential, samples")
        if self.uniform and self.uniform[1] < self.uniform[0]:
            raise ValueError("uniform is [lowest, highest]")
        return self

    def at(self, u: float) -> float:
        """Return the duration in seconds at the quantile u, 0 <= u < 1."""
        if self.fixed is not None:
            return self.fixed
        if self.uniform is not None:
            return self.uniform[0] + u * (self.uniform[1] - self.uniform[0])
        if self.lognormal is not None:
            sigma = math.log(self.lognormal.p99 / self.lognormal.median) / NORMAL.inv_cdf(0.99)
            return self.lognormal.median * math.exp(sigma * NORMAL.inv_cdf(max(u, 1e-12)))
        if self.exponential is not None:
            return -self.exponential * math.log1p(-u)
        samples = self.samples or [0.0]
        return samples[int(u * len(samples))]


def _from_number(value: Any) -> Any:
    return {"fixed": value} if isinstance(value, int | float) and not isinstance(value, bool) else value


Seconds = Annotated[Distribution, BeforeValidator(_from_number)]
"""A field of type Distribution that accepts a plain number of seconds too."""
