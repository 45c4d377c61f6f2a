"""Scenarios run from the console: in virtual time by the command that anybody can copy, in real time on this stack."""

import asyncio
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from app.names import workflow_id_for
from scenarios.catalogue import CATALOGUE
from scenarios.console.asked_for import AskedFor
from scenarios.console.fakes import UnknownError
from scenarios.console.worlds import command as virtual_command
from scenarios.scenario import Scenario
from scenarios.stack.live import LivePlace
from scenarios.stories.report import story
from scenarios.stories.runner import Runner, scenario_key

Time = Literal["virtual", "real"]


@dataclass
class ConsoleRun:
    """A scenario that the console runs, or ran."""

    run_id: str
    scenario: Scenario
    time: Time
    workflow_id: str | None = None
    state: Literal["running", "passed", "failed"] = "running"
    text: str = ""
    page: str = ""
    """The timeline as a page, in virtual time."""

    def public(self) -> dict[str, Any]:
        """Return it as the console's server answers it."""
        return {
            "runId": self.run_id,
            "scenario": self.scenario.name,
            "time": self.time,
            "state": self.state,
            "workflowId": self.workflow_id,
            "text": self.text,
            "timeline": f"/harness/runs/{self.run_id}/timeline.html" if self.page else None,
        }


def command(scenario: Scenario) -> str:
    """Return the command that runs a scenario in virtual time."""
    return f"make scenarios ONLY={scenario.name}"


class ScenarioRuns(AskedFor[ConsoleRun]):
    """The runs that were asked for, as an async context. Each real-time run takes its faults back at its end."""

    def __init__(self, place: LivePlace) -> None:
        super().__init__("run")
        self._place = place
        self._one_world = asyncio.Lock()

    def catalogue(self) -> list[dict[str, Any]]:
        """Return every scenario: its story, and whether it also runs in real time here."""
        return [
            {
                "name": scenario.name,
                "story": scenario.story,
                "theme": scenario.theme,
                "real": self._place.fits(scenario),
                "command": command(scenario),
            }
            for scenario in CATALOGUE
        ]

    def start(self, name: str, how: Time) -> ConsoleRun:
        """Start a scenario.

        Raises:
            UnknownError: there is none of that name, or it does not run in real time here.
        """
        scenario = next((one for one in CATALOGUE if one.name == name), None)
        if scenario is None:
            raise UnknownError(f"there is no scenario {name!r}; `make scenarios LIST=1` lists them")
        if how == "real" and not self._place.fits(scenario):
            raise UnknownError(f"{name} does not run in real time here: it would take minutes, or needs other fakes")
        seed = f"console-{time.time_ns()}"
        run = ConsoleRun(f"{name}-{time.time_ns()}", scenario, how)
        if how == "real":
            run.workflow_id = workflow_id_for(scenario_key(scenario, seed, 1))
        return self.begin(run.run_id, run, self._guarded(run, seed))

    async def _guarded(self, run: ConsoleRun, seed: str) -> None:
        try:
            await (self._real(run, seed) if run.time == "real" else self._virtual(run))
        except Exception as error:  # noqa: BLE001 - whatever it is, the person who pressed the button is told
            run.state, run.text = "failed", f"it could not be run: {type(error).__name__}: {error}"

    async def _real(self, run: ConsoleRun, seed: str) -> None:
        runner = Runner(self._place, seed=seed)
        try:
            done = await runner.run(run.scenario)
        finally:
            await runner.close()
        run.text = story(done, f"make scenarios LIVE=1 ONLY={run.scenario.name}")
        run.state = "passed" if done.passed else "failed"

    async def _virtual(self, run: ConsoleRun) -> None:
        async with self._one_world:
            with tempfile.TemporaryDirectory() as folder:
                page = Path(folder) / "timeline.html"
                said: list[str] = []
                code = await virtual_command(["run", run.scenario.name, "--tell", "--timeline", str(page)], said.append)
                run.text = "".join(said).strip()
                if page.exists():
                    run.page = page.read_text(encoding="utf-8")
                run.state = "passed" if code == 0 else "failed"
