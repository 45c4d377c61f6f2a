"""The order of the test files, and the tests that `make test` leaves out.

What takes longest begins first, so that no process is left with it at the end.
"""

import pytest

LONGEST_FIRST = (
    "scenarios/test_catalogue.py",
    "scenarios/test_real_time.py",
    "scenarios/stack/test_commands.py",
    "chaos/test_table.py",
    "scenarios/console/test_page.py",
    "scenarios/stack/test_photos.py",
    "loadtests/test_run.py",
    "loadtests/drive/test_locust.py",
    "loadtests/knee/test_command.py",
    "loadtests/report/test_report.py",
    "scenarios/console/test_telemetry.py",
    "app/pipeline/test_pipeline.py",
    "fuzz/test_bodies.py",
    "app/gateway/test_process.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the long files first and leave the others as they are. Who marks a test as long says why."""
    for item in items:
        for mark in item.iter_markers("long"):
            if mark.kwargs or [type(word) for word in mark.args] != [str]:
                raise pytest.UsageError(f'{item.nodeid}: say why it takes long: @pytest.mark.long("...")')
    ranks = {name: place for place, name in enumerate(LONGEST_FIRST)}

    def rank(item: pytest.Item) -> int:
        return min(
            (place for name, place in ranks.items() if item.path.as_posix().endswith(f"tests/{name}")), default=99
        )

    items.sort(key=rank)
