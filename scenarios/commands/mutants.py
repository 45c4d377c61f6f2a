"""`make mutants`: break the production code in one place at a time, and see that scenarios notice.

Each mutant is one change of one line of `app/`, made in a copy. The scenarios named with it, and they alone, are run
against the copy; one of them has to be played to its end and judged wrong. A run that crashes, takes too long or cannot
start proves nothing and counts as not noticed. The same scenarios are run first against the code as it is: they must
pass.
"""

import argparse
import enum
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LEAST_NOTICED = 0.9
LIMIT_S = 600
AT_ONCE = 2
"""Worlds side by side: most of a mutant's time goes into starting one, which is no work for many cores."""


class Seen(enum.Enum):
    """What scenarios made of a mutant."""

    NOTICED = "noticed"
    SURVIVED = "SURVIVED"
    UNPROVEN = "UNPROVEN"
    """None of them was judged wrong, and not all were judged: a crash, a time-out, a world that did not start."""


@dataclass(frozen=True)
class Mutant:
    """One change of one line, and the scenarios that should notice it."""

    file: str
    old: str
    new: str
    noticed_by: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.file}: {self.old.strip()!r} becomes {self.new.strip()!r}"

    def apply(self, app: Path) -> None:
        """Change the copy.

        Raises:
            ValueError: the line is not there just once: the list has to follow the code.
        """
        path = app / self.file
        source = path.read_text()
        if source.count(self.old) != 1:
            raise ValueError(f"{self.file} has {self.old!r} {source.count(self.old)} times; mend the list of mutants")
        path.write_text(source.replace(self.old, self.new))


def _mutants(file: str, *changes: tuple[str, str, str]) -> Iterator[Mutant]:
    for old, new, names in changes:
        yield Mutant(file, old, new, tuple(names.split()))


MUTANTS: tuple[Mutant, ...] = (
    *_mutants(
        "pipeline/workflow.py",
        ("MAX_DIMENSION = 1536", "MAX_DIMENSION = 1024", "photo-large"),
        ("if zoom.recommend_bg_removal:", "if not zoom.recommend_bg_removal:", "near far"),
        (
            "subject = await self._run(Activities.remove_background",
            "_ = await self._run(Activities.remove_background",
            "far",
        ),
        ("if given.brush_strokes:", "if not given.brush_strokes:", "strokes-that-add near"),
        ("MaskRequest(image=subject,", "MaskRequest(image=resized,", "far"),
        ("GenerateRequest(image=resized,", "GenerateRequest(image=subject,", "far"),
        ("self._step = Step.CHECKING_ZOOM", "pass", "zoom-check-recovers image-manipulator-zoom-check-refused-at-once"),
        ("background_removed=zoom.recommend_bg_removal", "background_removed=False", "far"),
        ("if workflow.cancellation_reason() is not None:", "if False:", "cancel-while-generating cancel-in-a-backoff"),
        ("retry_policy=policy.retry,", "", "image-manipulator-status-exhausts sam3-status-exhausts"),
    ),
    *_mutants(
        "pipeline/activities.py",
        ("if not _fits(request.image.size, size, request.max_dimension):", "if False:", "large-photo-not-resized"),
        (
            "check = partial(result_checks.check_resized, size=size)",
            "check = lambda _picture, _named: None",
            "image-manipulator-picture-truncated image-manipulator-picture-size image-manipulator-picture-format",
        ),
        (
            "cutout = partial(result_checks.check_cutout, size=image.size)",
            "cutout = lambda _picture, _named: None",
            "birefnet-picture-no-alpha birefnet-picture-truncated",
        ),
        (
            "mask = partial(result_checks.check_mask, size=image.size, points=points)",
            "mask = lambda _picture, _named: None",
            "sam3-mask-empty sam3-mask-full",
        ),
        (
            '"labels": [point.label for point in points]',
            '"labels": [1 for point in points]',
            "mostly-background-points sam3-mask-inverted",
        ),
        (
            "image, points = request.image, request.points",
            "image, points = request.image, [point for point in request.points if point.label]",
            "many-points mostly-background-points",
        ),
        (
            '"flux", answer.result_base64, A100_ERRORS, final',
            '"flux", answer.result_gemini_base64 or answer.result_base64, A100_ERRORS, final',
            "near",
        ),
        (
            "flux_metrics=Metrics(**answer.metrics.model_dump())",
            "flux_metrics=Metrics(**(answer.metrics_gemini or answer.metrics).model_dump())",
            "near",
        ),
        (
            '"flux-fidelity", answer.fidelity_viz_base64, fidelity',
            '"flux-fidelity", None, fidelity',
            "near",
        ),
        ('"gemini", answer.result_gemini_base64, final', '"gemini", answer.result_base64, final', "no-gemini"),
        (
            "original=request.image.digest",
            "original=None",
            "a100-picture-unchanged",
        ),
        (
            "check = partial(result_checks.check_refined_mask, size=image.size, strokes=strokes)",
            "check = lambda _picture, _named: None",
            "painted-mask-empty painted-mask-inverted painted-picture-truncated",
        ),
        (
            "return (await self._results.check(attempt, answer.refined_mask_uri, A100_ERRORS, check)).uri",
            "return answer.refined_mask_uri",
            "painted-mask-foreign painted-picture-size",
        ),
    ),
    *_mutants(
        "pictures/results.py",
        (
            "if is_another_s(name, attempt.workflow_id):",
            "if False:",
            "job-with-anothers-result-once sam3-mask-foreign",
        ),
        ("if tries == IMAGE_RETRY.maximum_attempts or", "if tries == 2 or", "azure-busy-when-results-are-stored"),
        ("raise type(error)(error.message, final=True) from error", "raise", "azure-down-when-results-are-stored"),
        (
            "pause *= IMAGE_RETRY.backoff_coefficient",
            "pass",
            "azure-busy-when-results-are-stored azure-down-when-results-are-stored",
        ),
    ),
    *_mutants(
        "services/remote_job.py",
        ("await self._clock.sleep(min(POLL_INTERVAL, self._left(ticket)))", "pass", "near job-slow"),
        ("max(POLL_INTERVAL, asked_for)", "3.0", "job-slow sam3-job-stuck poll-is-asked-to-wait"),
        (
            "deadline=attempt.deadline.sooner(JOB_LIMIT)",
            "deadline=attempt.deadline.sooner(25)",
            "submit-to-a-cold-service",
        ),
        ("if left <= 0 or", "if left <= -60 or", "sam3-job-stuck birefnet-job-stuck"),
        (
            'attempt.heart.drop()\n            raise self.errors.job_failed(f"{name} says',
            'raise self.errors.job_failed(f"{name} says',
            "sam3-job-failed-once birefnet-job-failed-once",
        ),
        ("ticket.submitted_at >= JOB_GRACE else 0", "ticket.submitted_at >= 0 else 0", "job-late"),
        ("unknown == JOB_LOST_AFTER", "unknown == 1", "job-unknown-to-one-poll job-lost"),
        (
            "except self.errors.bad_answer:\n            attempt.heart.drop()",
            "except self.errors.bad_answer:",
            "bad-cut-out-once job-with-anothers-result-once",
        ),
        ("return left if left > 0.001 else 0.0", "return left + 2", "sam3-job-stuck job-done-at-the-last-moment"),
    ),
    *_mutants(
        "services/a100.py",
        ("return None if health.status", "return None if True or health.status", "a100-says-it-is-starting"),
        (
            "if trouble is None:\n                    raise",
            "raise",
            "a100-moves-during-generate a100-dies-during-the-last-generate",
        ),
        ("return _offline(error.said) if _nobody", "return error if _nobody", "a100-offline"),
        ("if _nobody_listens(error.__cause__) else error", "if error else error", "a100-health-busy-once"),
        ("not trouble.final)", "trouble.final)", "a100-health-busy-says-when"),
        ("HEALTH_DEADLINE = 3.0", "HEALTH_DEADLINE = 8.0", "a100-health-hangs a100-hangs-and-is-gone"),
        (
            "except (A100RejectedError, A100BadAnswerError):\n                raise",
            "except A100BadAnswerError:\n                raise",
            "a100-generate-refused-at-once a100-refine-mask-refused-at-once",
        ),
    ),
    *_mutants(
        "services/http.py",
        (
            "_TRANSIENT_4XX = {408, 425, 429}",
            "_TRANSIENT_4XX = {408, 425}",
            "a100-busy-says-when retry-after-is-honoured",
        ),
        ("if status >= 500 or", "if status > 599 or", "sam3-status-recovers"),
        (
            'wait = seconds_to_wait(reply.headers.get("Retry-After"))',
            "wait = None",
            "retry-after-is-honoured a100-busy-says-when",
        ),
        (
            "if status >= 400:\n            raise self.errors.rejected(what,",
            "if status >= 400:\n            raise self.errors.unavailable(what,",
            "sam3-submit-refused-at-once",
        ),
        ("if status < 300:", "if status < 400:", "redirect-is-not-followed"),
        (
            "except (httpx.HTTPError, httpx.InvalidURL) as error:",
            "except ZeroDivisionError as error:",
            "sam3-reset-recovers sam3-refuse-exhausts",
        ),
    ),
    *_mutants(
        "services/blob.py",
        ("_FINAL = {400, 401, 403,", "_FINAL = {400, 401,", "azure-refuses"),
        (
            "raise AzureUnavailableError(what, retry_after=wait) from error",
            "raise AzureUnavailableError(what) from error",
            "azure-busy-says-when",
        ),
    ),
    *_mutants(
        "pipeline/policies.py",
        ("JOB_LIMIT = 120.0", "JOB_LIMIT = 118.0", "sam3-job-stuck"),
        ("POLL_INTERVAL = 2.0", "POLL_INTERVAL = 2.5", "near job-slow"),
        ("HEARTBEAT_INTERVAL = 0.5", "HEARTBEAT_INTERVAL = 50.0", "sam3-job-stuck"),
        ("RETRY_AFTER_LIMIT = 60.0", "RETRY_AFTER_LIMIT = 6000.0", "retry-after-has-a-limit"),
        (
            "GENERATE = StepPolicy(start_to_close=180, deadline=165",
            "GENERATE = StepPolicy(start_to_close=180, deadline=185",
            "a100-hang-exhausts",
        ),
        ("    maximum_attempts=3,", "    maximum_attempts=4,", "sam3-status-exhausts"),
        ("    maximum_attempts=5,", "    maximum_attempts=4,", "image-manipulator-status-exhausts"),
        ("initial_interval=timedelta(seconds=2)", "initial_interval=timedelta(seconds=1)", "sam3-status-recovers"),
    ),
)


def main(arguments: Sequence[str]) -> int:
    """Run the mutants, print the table, and exit with 1 when fewer than nine of ten were noticed."""
    parser = argparse.ArgumentParser(prog="python -m scenarios mutants", description=__doc__)
    parser.add_argument("--file", help="only the mutants of this file of app/")
    options = parser.parse_args(arguments)
    chosen = [mutant for mutant in MUTANTS if options.file in {None, mutant.file}]
    needed = sorted({name for mutant in chosen for name in mutant.noticed_by})
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        _say(f"{len(chosen)} mutants; first {len(needed)} scenarios against the code as it is")
        found, why = _run(_copy(Path(folder) / "as-is"), needed)
        if found is not Seen.SURVIVED:
            _say(f"they do not pass: there is nothing to compare with{why and f' ({why})'}")
            return 2
        with ThreadPoolExecutor(AT_ONCE) as threads:
            seen = list(threads.map(_look, chosen, (Path(folder) / str(number) for number in range(len(chosen)))))
    for mutant, found in zip(chosen, seen, strict=True):
        if found is not Seen.NOTICED:
            _say(f"{found.value}: {mutant}")
    noticed = seen.count(Seen.NOTICED)
    _say(
        f"{noticed} of {len(chosen)} mutants were noticed ({noticed / len(chosen):.0%}), "
        f"{seen.count(Seen.UNPROVEN)} proved nothing"
    )
    return 0 if noticed >= LEAST_NOTICED * len(chosen) else 1


def _copy(folder: Path) -> Path:
    shutil.copytree(ROOT / "app", folder / "app", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def _look(mutant: Mutant, folder: Path) -> Seen:
    began = time.monotonic()
    copy = _copy(folder)
    mutant.apply(copy / "app")
    found, why = _run(copy, mutant.noticed_by)
    _say(f"{found.value:8} {time.monotonic() - began:5.1f} s  {mutant}{why and f'  [{why}]'}")
    shutil.rmtree(copy)
    return found


def _run(copy: Path, names: Sequence[str]) -> tuple[Seen, str]:
    """Run scenarios against a copy of the production code. Return what they saw, and why they saw nothing."""
    result = copy / "result.json"
    environment = {**os.environ, "PYTHONPATH": f"{copy}{os.pathsep}{ROOT}"}
    words = [sys.executable, "-m", "scenarios", "run", *names, "--result", str(result)]
    try:
        ended = subprocess.run(  # noqa: S603 - our own command
            words, cwd=copy, env=environment, capture_output=True, timeout=LIMIT_S, check=False, text=True
        )
    except subprocess.TimeoutExpired:
        return Seen.UNPROVEN, f"not done within {LIMIT_S} s"
    if not result.exists():
        return Seen.UNPROVEN, f"exit code {ended.returncode}: {(ended.stderr.splitlines() or [''])[-1]}"
    return judge(json.loads(result.read_text()), names)


def judge(results: Sequence[dict[str, Any]], names: Sequence[str]) -> tuple[Seen, str]:
    """Return what the result file of a run says, and why it proves nothing.

    Args:
        results: what `python -m scenarios run --result` wrote.
        names: the scenarios that were to run.
    """
    if any(one["judged"] and one["problems"] for one in results if one["scenario"] in names):
        return Seen.NOTICED, ""
    unjudged = [f"{one['scenario']}: {'; '.join(one['problems'])}" for one in results if not one["judged"]]
    missing = sorted(set(names) - {one["scenario"] for one in results})
    if unjudged or missing:
        return Seen.UNPROVEN, unjudged[0] if unjudged else f"{missing[0]} did not run"
    return Seen.SURVIVED, ""


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - the command's own voice
