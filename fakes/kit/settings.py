"""Every environment variable that a fake reads."""

from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class FakeSettings(BaseSettings):
    """How one fake runs. Durations are seconds; the AZURE_* names are those of the specification."""

    model_config = SettingsConfigDict(extra="ignore", env_ignore_empty=True)

    azure_account_name: str = "jewelrytryon"
    azure_account_key: str = ""
    azure_container: str = "jewelry-uploads"
    azure_blob_endpoint: str = ""
    """The store itself, as http://127.0.0.1:10000/jewelrytryon: never the fault proxy in front of it."""

    sim_enabled: bool = False
    """Off: a plain fake service, without rules, ledger, control plane or the caller's clock."""
    sim_seed: int = 0
    sim_rules: str = ""
    """Rules to start with: YAML itself, or the path of a YAML file."""
    sim_profile: str = "instant"
    """A named profile, or YAML itself, or the path of a YAML file."""
    sim_clock: Literal["wall", "caller"] = "wall"
    """caller: every caller sends X-Sim-Time, so `refuse` may name a key, and the listener stays open."""
    sim_control_open: bool = False
    """On: the control plane answers callers that are not on loopback too, as a container needs."""
    sim_ledger_size: int = Field(default=50_000, ge=1)
    fakes_time_scale: float = Field(default=1.0, gt=0)
    """Every time of a fake is multiplied by it, in real time only: 0.05 is twenty times faster."""

    a100_gemini: bool = True
