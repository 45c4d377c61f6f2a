"""A run as a story, in the model's own words, so that the two can be held side by side."""

import re
from pathlib import PurePosixPath
from typing import Any

from scenarios.model import Undecided, stories
from scenarios.model.compare import differences
from scenarios.model.numbers import DEADLINE
from scenarios.model.replies import RUNNING
from scenarios.model.story import (
    CANCELLED,
    COMPLETED,
    UNKNOWN,
    WRITTEN_ANEW,
    AnsweredAct,
    Attempt,
    Call,
    Story,
    act_words,
)
from scenarios.model.tryon import METRICS, PICTURES
from scenarios.pipeline import ACTIVITIES
from scenarios.plans import Plan
from scenarios.stories.acts import Answered
from scenarios.stories.run import Run, SeenCall

FOREIGN = "another's"
WORKFLOW_ID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def observed(run: Run) -> Story:
    """Return what a run showed. Its steps are those that a client happened to see."""
    error = run.error
    words = _words(run)
    return Story(
        status=run.status,
        code=error.get("code"),
        step=error.get("failedStep"),
        http_status=run.start_answer[0],
        length=run.timeline.length,
        attempts=[
            Attempt(each.activity, each.number, each.began, each.ended or each.began, code_of(each.outcome))
            for each in run.timeline.attempts
        ],
        calls=[_call(call, words, run.workflow_id) for call in run.calls],
        background_removed=(run.output or {}).get("background_removed") if run.status == "COMPLETED" else None,
        results=frozenset(
            name
            for name in (*PICTURES.values(), *METRICS.values())
            if run.status == "COMPLETED" and (run.answer.get("result") or {}).get(name) is not None
        ),
        steps=list(dict.fromkeys(run.samples)),
        cancel=_cancel(run),
        lost_starts=sum(what == "start" for what, *_ in run.repeated),
        replies=[(_reply(each),) for each in run.acts],
        met={(call.name, call.number, fault) for call in run.calls for fault in call.faults},
        fired=tuple(any(rule_id in call.rules for call in run.calls) for rule_id in run.rules),
    )


def _cancel(run: Run) -> int | None:
    """Return how the cancel was answered. One that was asked again may be too late for itself."""
    if run.cancel_answer is None:
        return None
    status, said = run.cancel_answer
    asked_again = any(what == "cancel" for what, *_ in run.repeated)
    return 200 if asked_again and status == 409 and said.get("status") == "CANCELLED" else status


def _reply(answer: Answered) -> AnsweredAct:
    act = answer.act
    looked = act.do in {"status", "wait_briefly", "from_pages", "keyed"} and not isinstance(act.at, str)
    place = answer.place if (looked and answer.status == RUNNING) or act.do == "progress" else None
    return AnsweredAct(act_words(act.do, act.at), answer.http_status, answer.status, answer.code, place)


CODES_OF_TYPES = {
    "A100Error": "A100_ERROR",
    "BlobEmptyError": "AZURE_BAD_ANSWER",
    "BlobTooLargeError": "AZURE_BAD_ANSWER",
}
"""Types of failures in a history whose code is not in their name (docs/errors.md)."""


def code_of(outcome: str) -> str:
    """Return the code of an attempt's error, whether its type is the code or the name of a class."""
    if outcome in {COMPLETED, CANCELLED} or "_" in outcome or outcome.isupper():
        return outcome
    if outcome in CODES_OF_TYPES:
        return CODES_OF_TYPES[outcome]
    words = "".join(f"_{letter}" if letter.isupper() else letter for letter in outcome.removesuffix("Error"))
    return words.removeprefix("_").upper().replace("JOB_TIMEOUT", "TIMEOUT")


MAKERS = {
    "image_manipulator.resize": ("resized_uri", "resized"),
    "birefnet.poll": ("result_uri", "cutout"),
    "sam3.poll": ("mask_uri", "mask"),
    "a100.refine_mask": ("refined_mask_uri", "refined"),
    "a100_spare.refine_mask": ("refined_mask_uri", "refined"),
}
"""Whose answer names a picture, in which field, and the word for it."""


def _words(run: Run) -> dict[str, str]:
    """Return the word for each picture that calls name by URI."""
    words: dict[str, str] = {}
    for call in run.calls:
        if call.name == "image_manipulator.resize" and call.sent:
            words.setdefault(str(call.sent.get("image_uri")), "photo")
    for call in run.calls:
        field, word = MAKERS.get(call.name, ("", ""))
        uri = (call.answered or {}).get(field) if field else None
        if word and call.answered is None:
            words[""] = UNKNOWN  # nobody read that answer: a URI that is in no other may be its
        if isinstance(uri, str):
            # A picture that was given and is named as the result stays what it was.
            words.setdefault(uri, FOREIGN if _of_another(uri, run.workflow_id) else word)
            words.setdefault(_plain(uri, run.workflow_id), words[uri] + WRITTEN_ANEW)
    return words


def _plain(uri: str, workflow_id: str) -> str:
    """Return the name of a mask in another scale that was written anew: this try-on's, whatever it was called."""
    container, _, name = uri.removeprefix("azure://").partition("/")
    return f"azure://{container}/{workflow_id}-{PurePosixPath(name).stem.removeprefix(f'{workflow_id}-')}-plain.png"


def _of_another(uri: str, workflow_id: str) -> bool:
    """Say whether a picture is another try-on's: its name begins with the id of another workflow."""
    name = uri.removeprefix("azure://").partition("/")[2]
    return re.match(WORKFLOW_ID, name) is not None and not name.startswith(workflow_id)


def _call(call: SeenCall, words: dict[str, str], workflow_id: str) -> Call:
    sent: dict[str, Any] = call.sent or {}
    named = [sent[field] for field in ("image_uri", "mask_uri") if field in sent]
    works_on = tuple(words.get(str(uri), words.get("", str(uri))) for uri in named)
    key = call.idempotency_key.removeprefix(f"{workflow_id}-") if call.idempotency_key else None
    return Call(call.service, call.operation, call.number, call.at, call.attempt, works_on, key)


def deviations(plan: Plan, run: Run) -> list[str]:
    """Return how a run of a plan, and those beside it, differ from every story that is allowed.

    Nothing when each is one of them, nor of one of which the model says nothing: how few those are is said by
    tests/scenarios/model/test_catalogue.py.
    """
    beside = zip(plan.beside, run.beside, strict=False)
    return _deviations(plan, run) + [f"beside it: {each}" for other, its in beside for each in _deviations(other, its)]


def hold_against_the_model(plan: Plan, run: Run) -> None:
    """Add to the problems of a run, where it can be judged, how it differs from every story that is allowed.

    Of a pipeline with a step that the specification has not the model tells no story.
    """
    if run.judged and DEADLINE.keys() >= set(ACTIVITIES):
        run.problems += [f"the model does not allow it: {each}" for each in deviations(plan, run)]


def _deviations(plan: Plan, run: Run) -> list[str]:
    try:
        allowed = stories(plan)
    except Undecided:
        return []
    return differences(observed(run), allowed)
