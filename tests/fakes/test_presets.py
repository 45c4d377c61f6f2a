"""The presets: each of their rules acts on the service that it names, and says what it is about."""

import subprocess
import sys
import time

import pytest

from fakes.presets import PRESETS, about, path_of, rules_of
from fakes.registry import BLOB, SERVICES, Service
from fakes.settings import ServiceSettings
from tests.daily import every


@pytest.mark.parametrize("name", PRESETS)
def test_every_rule_acts_on_its_service(name: str) -> None:
    rules = rules_of(name)
    assert len(about(name)) > 60
    for service in (*SERVICES.values(), BLOB):
        fake = service.create_app(ServiceSettings(sim_enabled=True))
        fake.rules.load(rules, time.time())
        acting = {rule["id"] for rule in fake.rules.public() if rule["acts_on"]}
        assert acting == {rule.id for rule in rules if rule.service == service.name}
    assert {rule.service for rule in rules} <= {*SERVICES, BLOB.name}


@pytest.mark.parametrize(
    "service", every(3, [*SERVICES.values(), BLOB], "one more program"), ids=lambda service: service.name
)
def test_each_program_knows_the_kinds_of_all(service: Service) -> None:
    """One file of rules is for all services, so the program of each has to read the rules for the others."""
    program = f"import {service.module}; from fakes.kit.faults import kinds; print(*kinds())"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert {"mask_empty", "key_not_permitted", "cold_start"} <= set(told.stdout.split())


def test_one_that_there_is_not() -> None:
    with pytest.raises(ValueError, match="no faults 'nope': there are azure-locked-down, "):
        path_of("nope")
