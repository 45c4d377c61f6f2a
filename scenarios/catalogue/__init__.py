"""The catalogue: every scenario that CI runs, by theme. A module a theme; the file to copy is the smallest, `azure`.

Where the specification leaves an outcome open, the scenario's story or the comment beside it says what was decided.
"""

from scenarios.catalogue import (
    a100,
    azure,
    cancellation,
    contracts,
    happy,
    hosts,
    http_faults,
    jobs,
    pictures,
    refusals,
    side_by_side,
    starts,
    workers,
)
from scenarios.scenario import Scenario

CATALOGUE: tuple[Scenario, ...] = (
    *happy.SCENARIOS,
    *http_faults.SCENARIOS,
    *jobs.SCENARIOS,
    *hosts.SCENARIOS,
    *pictures.SCENARIOS,
    *contracts.SCENARIOS,
    *a100.SCENARIOS,
    *azure.SCENARIOS,
    *cancellation.SCENARIOS,
    *starts.SCENARIOS,
    *refusals.SCENARIOS,
    *workers.SCENARIOS,
    *side_by_side.SCENARIOS,
)
