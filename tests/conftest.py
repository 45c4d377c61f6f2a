"""The order of the test files, the tests that `make test` leaves out, and the blob store that many share.

What takes longest begins first, so that no process is left with it at the end.
"""

from collections.abc import Iterator

import pytest
from anyio.from_thread import start_blocking_portal

from scenarios.stack.programs import Options
from scenarios.stack.stack import Stack

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


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """An Azurite with the container of the specification: the settings by which it is reached."""
    options = Options(parts=frozenset({"azurite"}))
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(Stack(home=tmp_path_factory.mktemp("azurite"), options=options)) as stack,
    ):
        yield {name.lower(): value for name, value in stack.environment.items() if name.startswith("AZURE_")}
