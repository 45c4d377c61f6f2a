"""A deploy at every event: what is safe goes on, what is not is named with the event and both commands."""

import shutil
import subprocess
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from app.pipeline.workflow import JewelryGenerationWorkflow
from scenarios.deploys.check import BACK, FORWARD, Found, check, chosen
from scenarios.deploys.command import main, report
from scenarios.deploys.versions import NoVersionError, of_folder, of_git
from tests.command import commanding

ROOT = Path(__file__).parents[3]
RESIZED = "        self._step = Step.CHECKING_ZOOM\n"
ZOOMED = "        zoom = await self._run(Activities.check_zoom, resized, policies.ZOOM)\n"
FIRST = "        uploaded = await self._run(Activities.upload_to_azure"
LAST = "        self._step = Step.COMPLETED\n"
GENERATE = "        self._step = Step.GENERATING_IMAGES\n"

TIMEOUT = "start_to_close_timeout=policy.start_to_close_timeout"
QUERY = "    @workflow.query\n"
SLEEP = "await workflow.sleep(1)\n"

SAFE = {
    "a longer timeout": (TIMEOUT, "start_to_close_timeout=timedelta(seconds=300)"),
    "another retry policy": ("retry_policy=policy.retry,", "retry_policy=RETRY,"),
    "one more query": (QUERY, f"{QUERY}    def hello(self) -> str:\n        return 'hello'\n\n{QUERY}"),
    "a timer after the last step": (LAST, f"        {SLEEP}{LAST}"),
    "a patch": (GENERATE, f"        if workflow.patched('wait'):\n            {SLEEP}{GENERATE}"),
}
UNSAFE = {
    "a step twice": (ZOOMED, ZOOMED + ZOOMED),
    "a timer before the last step": (GENERATE, f"        {SLEEP}{GENERATE}"),
    "a memo at the start": (FIRST, f"        workflow.upsert_memo({{'step': 'upload'}})\n{FIRST}"),
    "a memo at a step": (RESIZED, f"{RESIZED}        workflow.upsert_memo({{'step': 'zoom'}})\n"),
    "a wait that no replay has": (
        GENERATE,
        f"        if not workflow.unsafe.is_replaying():\n            {SLEEP}{GENERATE}",
    ),
}
"""Changes of the workflow as people make them: what stands there now, and what stands there afterwards."""
MISTAKEN_BY_REPLAY = {"a wait that no replay has", "a timer after the last step"}
"""What replaying finished histories is wrong about: nobody waits in them, and nobody has ended while a try-on runs."""
HISTORIES = {path.stem: path.read_text() for path in (ROOT / "tests/app/pipeline/histories").glob("*.json")}


def changed(tmp_path: Path, old: str, new: str) -> type:
    """The workflow with one change, as it would be deployed."""
    shutil.copytree(ROOT / "app", tmp_path / "app", ignore=shutil.ignore_patterns("__pycache__"))
    module = tmp_path / "app" / "pipeline" / "workflow.py"
    text = module.read_text()
    assert text.count(old) == 1, old
    text = text.replace(old, new)
    text += "\nfrom temporalio.common import RetryPolicy\n\nRETRY = RetryPolicy(maximum_attempts=7)\n"
    module.write_text(text)
    return of_folder(tmp_path / "app")


def git(*words: str) -> str:
    """What git says of this checkout; nothing when it refuses."""
    return subprocess.run(["git", "-C", ROOT, *words], check=False, capture_output=True, text=True).stdout.strip()


@pytest.mark.long("a world of its own, and a deploy at every event")
def test_a_change_that_needs_a_patch_is_found_with_its_event_and_both_commands(tmp_path: Path) -> None:
    new = changed(tmp_path, *UNSAFE["a step twice"])
    found = list(check(JewelryGenerationWorkflow, new, chosen(["near"])))
    forward = [each for each in found if each.direction == FORWARD]
    assert forward
    # Until the zoom check is scheduled once, nothing differs; after that the history lacks the second one.
    bad = [each for each in forward if each.problem]
    good = [each for each in forward if not each.problem]
    assert bad
    assert good
    assert max(each.event for each in good) < min(each.event for each in bad)
    assert "check_zoom" in bad[0].problem
    said = report("HEAD~1", found, 1.0)
    assert f"near, from event {bad[0].event} on: " in said
    assert "workflow.patched()" in said


@pytest.mark.long("ten changes, each deployed at every event of several stories, and rolled back")
@pytest.mark.parametrize("change", [*SAFE, *UNSAFE])
async def test_ten_changes_are_told_apart(tmp_path: Path, change: str) -> None:
    new = changed(tmp_path, *(SAFE | UNSAFE)[change])
    found = list(check(JewelryGenerationWorkflow, new, chosen(["near", "cancel-in-a-backoff"])))
    assert {each.direction for each in found} == {FORWARD, BACK}
    problems = [each for each in found if each.problem and each.direction == FORWARD]
    assert bool(problems) == (change in UNSAFE), problems[:3]
    failures = [await replayed(new, history) for history in HISTORIES.values()]
    assert any(failures) == ((change in UNSAFE) != (change in MISTAKEN_BY_REPLAY)), failures


async def replayed(new: type, history: str) -> Exception | None:
    """How a finished history of production replays under a changed workflow."""
    runner = UnsandboxedWorkflowRunner()
    replayer = Replayer(workflows=[new], data_converter=pydantic_data_converter, workflow_runner=runner)
    finished = WorkflowHistory.from_json("finished", history)
    return (await replayer.replay_workflow(finished, raise_on_replay_failure=False)).replay_failure


@pytest.mark.long("a deploy of this commit over the one before it, at every event of every kind of history")
async def test_this_commit_can_be_deployed_over_the_one_before_it(tmp_path: Path) -> None:
    if not git("rev-parse", "--verify", "--quiet", "HEAD~1"):
        pytest.skip("there is no commit before this one here: a clone of depth 1, or no repository; fetch one more")
    if how := git("log", "-1", "--format=%(trailers:key=Deploy,valueonly)"):
        pytest.skip(f"this commit says how it is deployed: {how}")
    async with commanding(tmp_path, "scenarios") as command:
        await command.start("deploy-check", "--base", "HEAD~1", PYTHONPATH=str(ROOT))
        assert await command.end(600) == 0, (
            f"{command.output}\nA commit that is meant to break try-ons under way says in its message how it is, "
            "as `Deploy: with a WORKER_BUILD_ID`; docs/reliability.md, Deploys, has the ways."
        )


def test_a_report_says_safe_with_how_many_events() -> None:
    found = [Found("near", FORWARD, 1, 4), Found("near", BACK, 1, 4), Found("near", BACK, 2, 10)]
    said = report("main", found, 2.0).splitlines()
    assert said == [
        "main to this checkout: safe at 1 events",
        "this checkout back to main: safe at 2 events",
        "3 deploys in 2 s",
    ]


def test_what_is_no_version_is_refused_with_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(NoVersionError, match="git knows no such commit"):
        of_git("no-such-branch", tmp_path)
    assert main(["--base", "no-such-branch"]) == 2
    assert "BASE=no-such-branch" in capsys.readouterr().err
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__init__.py").write_text("")
    with pytest.raises(NoVersionError, match="has 0 modules with a class JewelryGenerationWorkflow"):
        of_folder(tmp_path / "app")
