"""What a load run does: one plain object that the command line makes and every load generator reads."""

from pathlib import Path
from typing import Literal, Self
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.names import workflow_id_for
from loadtests import mix
from loadtests.arrivals import Shape

VARIABLE = "LOAD_PLAN"
"""The environment variable that holds a plan as JSON, for the locustfile."""


MASTER_PORT = 5557
"""Where load workers are awaited unless said: Locust's own port."""


class Plan(BaseModel):
    """A load run. Durations are seconds, rates are per second.

    Attributes:
        host: the gateway's address.
        api_key: sent as X-API-Key when the deployment asks for one.
        api_key_name: its name in API_KEYS, which the ids of try-ons depend on; needed to set faults.
        model: `open`: try-ons arrive whatever happens; `closed`: so many users, each waits for its own.
        shape, rate: of open arrivals.
        users, think_s: of the closed model: how many, and their pause between two try-ons.
        seconds: how long try-ons arrive.
        drain_s: how long the last ones may take afterwards; what still runs then is censored.
        patience_s: a try-on that takes longer, from its intended start, is a timeout.
        max_in_flight: an open arrival that finds so many of its generator's try-ons running is dropped, and reported.
        run: makes the Idempotency-Keys of this run unlike those of any other.
        seed: decides arrivals and mix.
        load_workers: how many share the arrivals, awaited at `master` (ADDRESS:PORT) for `gather_s`; 0: one process
            of this machine makes them all.
        mix: the mix file.
        fakes: the control planes of the fakes by service, for faults; empty for a real deployment.
        records: the file that gets one JSON line for each try-on.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    host: str
    api_key: str | None = None
    api_key_name: str | None = None
    model: Literal["open", "closed"] = "open"
    shape: Shape = "poisson"
    rate: float = Field(default=1.0, gt=0)
    users: int = Field(default=1, ge=1)
    think_s: float = Field(default=1.0, ge=0)
    seconds: float = Field(default=60, gt=0)
    drain_s: float = Field(default=60, ge=0)
    patience_s: float = Field(default=60, gt=0)
    max_in_flight: int = Field(default=500, ge=1)
    run: str = Field(default_factory=lambda: uuid4().hex)
    seed: int = 1
    load_workers: int = Field(default=0, ge=0)
    master: str = f"0.0.0.0:{MASTER_PORT}"
    gather_s: float = Field(default=600, gt=0)
    mix: Path = mix.DEFAULT
    fakes: dict[str, str] = {}
    records: Path = Path("records.jsonl")

    @property
    def generators(self) -> int:
        """How many processes share the arrivals."""
        return self.load_workers or 1

    @property
    def most_running(self) -> int:
        """How many try-ons one generator may have running: closed users wait for their own, so none is left out."""
        return self.max_in_flight if self.model == "open" else self.users

    @model_validator(mode="after")
    def _host_is_an_address(self) -> Self:
        if not self.host.startswith(("http://", "https://")):
            raise ValueError(f"the host is an address such as http://127.0.0.1:8000, not {self.host!r}")
        return self

    @model_validator(mode="after")
    def _faults_can_be_set(self) -> Self:
        if self.fakes and self.api_key and not self.api_key_name:
            raise ValueError("faults need the name of the API key: say --api-key-name with --fake and --api-key")
        return self

    def workflow_id(self, idempotency_key: str) -> str:
        """Return the id that the gateway will give to the try-on with this key."""
        return workflow_id_for(idempotency_key, self.api_key_name)
