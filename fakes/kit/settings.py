"""Every environment variable that the kit reads."""

from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class FakeSettings(BaseSettings):
    """How one fake runs. Durations are seconds."""

    model_config = SettingsConfigDict(extra="ignore", env_ignore_empty=True)

    sim_enabled: bool = Field(default=False, description="Rules, ledger, control plane and the caller's clock")
    sim_seed: int = Field(default=0, description="Of every draw, and of what is drawn on pictures")
    sim_rules: str = Field(default="", description="Rules to start with: YAML itself, or the path of a YAML file")
    sim_profile: str = Field(default="instant", description="A named profile, YAML itself, or the path of a YAML file")
    sim_clock: Literal["wall", "caller"] = Field(
        default="wall", description="caller: every caller sends X-Sim-Time, so that `refuse` may name a key"
    )
    sim_control_open: bool = Field(
        default=False,
        description="The control plane answers callers that are not on loopback too, as a container needs",
    )
    sim_ledger_size: int = Field(default=50_000, ge=1, description="Calls that the ledger remembers")
    fakes_time_scale: float = Field(
        default=1.0, gt=0, description="Factor of every time of a fake, in real time only: 0.05 is twenty times faster"
    )
