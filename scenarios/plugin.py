"""The pytest plugin: `pytest_plugins = ["scenarios.plugin"]`, and a test runs a scenario in a line (docs/scenarios.md).

One world for each pytest process, on free ports, started by the first test that needs it; so it is safe under xdist.
"""

import dataclasses
import os
import re
import sys
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from scenarios.scenario import Rule, Scenario, rule

if TYPE_CHECKING:
    from scenarios.stories.drawing import Card
    from scenarios.stories.run import Run
    from scenarios.world.simulation import Simulation

RunScenario = Callable[..., "Run"]
CARDS: pytest.StashKey[list["Card"]] = pytest.StashKey()
"""The runs of this session as they are drawn, when the page is wanted."""
_started = False


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of scenario runs."""
    group = parser.getgroup("scenarios")
    group.addoption("--timeline", metavar="FILE", help="draw every scenario that ran into a self-contained HTML page")
    group.addoption("--scenario-seed", type=int, default=1, help="part of every workflow id, and the fakes' chance")


@pytest.fixture(scope="session")
def simulation(request: pytest.FixtureRequest) -> Iterator["Simulation"]:
    """The virtual world, once for a run."""
    # Imported here: Temporal and the fakes are not needed by test runs without a scenario.
    from scenarios.world.simulation import Simulation  # noqa: PLC0415

    global _started  # noqa: PLW0603 - what the process started decides how it may exit
    _started = True
    with Simulation(seed=request.config.getoption("--scenario-seed")) as made:
        yield made
        if late := made.late_calls():
            pytest.fail("\n".join(late.values()), pytrace=False)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Draw what ran here; a process of xdist hands it to the one that started it."""
    config, cards = session.config, session.config.stash.get(CARDS, [])
    if hasattr(config, "workeroutput"):
        config.workeroutput["scenarios_cards"] = [dataclasses.asdict(each) for each in cards]
    elif cards:
        from scenarios.stories.drawing import page  # noqa: PLC0415

        Path(config.getoption("--timeline")).write_text(page(cards), encoding="utf-8")


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take what ran in a process of xdist. One that crashed has left nothing."""
    from scenarios.stories.drawing import Card  # noqa: PLC0415

    handed = getattr(node, "workeroutput", {}).get("scenarios_cards", [])
    node.config.stash.setdefault(CARDS, []).extend(Card(**each) for each in handed)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell each process of xdist how tests are dealt out; xdist itself hides it from them."""
    node.workerinput["scenarios_whole_files"] = node.config.getoption("dist") == "loadfile"


class Begun(dict[str, tuple[Scenario, "Future[Run]"]]):
    """Runs that began before their tests, by the test's node id."""

    def take(self, test: str, scenario: Scenario) -> "Future[Run] | None":
        """Return the run of just this scenario that began for a test; once, as a second run is to be another one."""
        if test in self and self[test][0] == scenario:
            return self.pop(test)[1]
        return None


@pytest.fixture(scope="module")
def _begun(request: pytest.FixtureRequest, simulation: "Simulation") -> Begun:
    """Every scenario that this file's selected tests take as the parameter `scenario`, running side by side."""
    if not getattr(request.config, "workerinput", {"scenarios_whole_files": True})["scenarios_whole_files"]:
        return Begun()  # another process may run the next test of this file: nobody knows which are this one's
    here = [item for item in request.session.items if item.path == request.path and hasattr(item, "callspec")]
    chosen = ((item.nodeid, item.callspec.params.get("scenario")) for item in here)
    return Begun({test: (each, simulation.submit(each, test)) for test, each in chosen if isinstance(each, Scenario)})


class Rules(list[Rule]):
    """The rules of one test's scenario."""

    def add(self, service: str, operation: str, kind: str, **parameters: Any) -> None:
        """Add a rule, as `scenarios.scenario.rule` makes it: `rules.add("sam3", "submit", "status", status=503)`.

        Raises:
            ValueError: a word of it is none that the fakes know.
        """
        self.append(rule(service, operation, kind, **parameters))


@pytest.fixture
def rules() -> Rules:
    """Rules that the test's `run_scenario` adds to its scenario."""
    return Rules()


@pytest.fixture
def run_scenario(
    request: pytest.FixtureRequest,
    simulation: "Simulation",
    _begun: Begun,
    rules: Rules,
) -> RunScenario:
    """A function that runs a scenario and returns its run; one that does not come out as it says fails the test.

    It takes a Scenario, the fields of one (name and story are then the test's own), or a Scenario and the fields that
    are to be others. Each call is a run of its own.
    """

    def run(scenario: Scenario | None = None, **fields: Any) -> "Run":
        from scenarios.stories.report import story  # noqa: PLC0415

        if scenario is None:
            name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")
            scenario = Scenario(**{"name": name, "story": request.node.nodeid, "theme": "own", **fields})
        else:
            scenario = dataclasses.replace(scenario, **fields)
        if rules:
            scenario = dataclasses.replace(scenario, rules=(*scenario.rules, *rules))
        begun = _begun.take(request.node.nodeid, scenario)
        made = (begun or simulation.submit(scenario, request.node.nodeid)).result()
        if request.config.getoption("--timeline"):
            from scenarios.stories.drawing import card  # noqa: PLC0415

            request.config.stash.setdefault(CARDS, []).append(card(made))
        if not made.passed:
            command = f"pytest '{request.node.nodeid}' --scenario-seed {simulation.seed}"
            pytest.fail(story(made, command), pytrace=False)
        return made

    return run


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_cmdline_main() -> Generator[None, "pytest.ExitCode | int | None", "pytest.ExitCode | int | None"]:
    """End the process at once after a run that had a world: the interpreter can abort at exit (sdk-python #300)."""
    code = yield
    if _started:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(int(code or 0))
    return code
