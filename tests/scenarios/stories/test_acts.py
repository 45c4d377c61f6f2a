"""What the answers to acts come to."""

import pytest

from scenarios.stories.user import told_of_health

SERVICES = {"a100": "online", "imageManipulator": "online", "birefnet": "online", "sam3": "online"}


@pytest.mark.parametrize(
    ("status", "temporal", "changed", "told"),
    [
        ("healthy", "connected", {}, (200, "healthy")),
        ("degraded", "connected", {"a100": "slow"}, (503, None)),
        ("degraded", "disconnected", {}, (503, None)),
        ("degraded", "connected", {"sam3": "offline"}, (200, "degraded")),
    ],
)
def test_a_busy_machine_makes_no_health_wrong(
    status: str, temporal: str, changed: dict[str, str], told: tuple[int, str | None]
) -> None:
    http_status, said = told_of_health(200, {"status": status, "temporal": temporal, "services": SERVICES | changed})
    assert (http_status, said.get("status")) == told


@pytest.mark.parametrize(
    ("status", "temporal", "changed"),
    [
        ("degraded", "connected", {}),
        ("healthy", "connected", {"a100": "offline"}),
        ("healthy", "connected", {"a100": "slow"}),
        ("healthy", "disconnected", {}),
    ],
)
def test_a_health_that_contradicts_itself_is_no_health(status: str, temporal: str, changed: dict[str, str]) -> None:
    _, said = told_of_health(200, {"status": status, "temporal": temporal, "services": SERVICES | changed})
    assert said["status"] not in {"healthy", "degraded"}
    assert told_of_health(500, {"notJson": "sorry"}) == (500, {"status": "{'notJson': 'sorry'}"})
