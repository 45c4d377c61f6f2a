"""What the user is answered, beside the try-on's own end (docs/api.md)."""

from collections.abc import Mapping

from scenarios.model.clock import SAME
from scenarios.model.story import AnsweredAct, Story, act_words
from scenarios.pipeline import BY_ACTIVITY
from scenarios.plans import Plan, PlannedAct

RUNNING = "RUNNING"
FINISHED = "WORKFLOW_FINISHED"
WHENEVER: Mapping[str, tuple[int, str | None, str | None]] = {
    "repeat": (202, RUNNING, None),  # the answer of the start, word for word
    "repeat_other": (409, None, "IDEMPOTENCY_KEY_REUSED"),
    "stranger": (401, None, "UNAUTHORIZED"),
    "health": (200, "healthy", None),  # a rule is for its own try-on: for this question all is well
}
"""What is answered the same whatever the try-on does."""


def answered(plan: Plan, story: Story) -> list[tuple[AnsweredAct, ...]]:
    """Return for each act the answers that are allowed: what happens right after the start races the try-on.

    One at an instant after the end is not done any more.
    """
    if story.status == "REFUSED":
        return []
    acts = [act for act in plan.acts if act.do != "cancel" or isinstance(act.at, str)]
    done = [act for act in acts if isinstance(act.at, str) or act.at <= story.length + SAME]
    return [tuple(_own_words(act, story) if act.do == "progress" else _replies(act, story)) for act in done]


NOT_GIVEN: Mapping[str, tuple[int, str | None, str | None]] = {
    "results_gone": (410, None, "RESULT_GONE"),
    "fidelity_gone": (410, None, "RESULT_GONE"),
    "results_busy": (503, None, "AZURE_UNAVAILABLE"),
    "results_refused": (503, None, "AZURE_REJECTED"),
    "results_nowhere": (503, None, "AZURE_REJECTED"),
}
"""What is answered of a try-on that has results, where the store does not give them (docs/errors.md)."""


def _replies(act: PlannedAct, story: Story) -> list[AnsweredAct]:
    name, status = act_words(act.do, act.at), story.status
    if act.do in WHENEVER:
        return [AnsweredAct(name, *WHENEVER[act.do])]
    given = act.do == "fidelity_gone" and "fluxFidelityVizBase64" not in story.results
    if act.do in NOT_GIVEN and status == "COMPLETED" and not given:
        return [AnsweredAct(name, *NOT_GIVEN[act.do])]
    if act.do == "cancel":
        return [AnsweredAct(name, 409, status, FINISHED)]
    ended = AnsweredAct(name, 200, status, story.code)
    if act.do in {"wait", "crowd", "events", "events_anew", "events_late"} or act.at == "end":
        return [ended]
    if isinstance(act.at, str) or act.do == "wait_through":
        return [AnsweredAct(name, 200, RUNNING), ended]
    running = [AnsweredAct(name, 200, RUNNING, place=place) for place in _places(story, act.at)]
    return running + ([ended] if act.at >= story.length - SAME else [])


def _own_words(act: PlannedAct, story: Story) -> list[AnsweredAct]:
    """Return what the workflow itself says: as long as it runs where it is, afterwards where it was last."""
    last = story.steps[-1]
    places = [last] if isinstance(act.at, str) else _places(story, act.at)
    if not isinstance(act.at, str) and act.at >= story.length - SAME:
        places.append(last)
    return [AnsweredAct(act_words(act.do, act.at), 200, place=place) for place in places]


def _places(story: Story, at: float) -> list[tuple[int, str]]:
    """Return progress and step at an instant: of each step that is under way then, its backoffs included."""
    begins = list(story.scheduled.values())
    ends = [*begins[1:], story.length]
    return [
        (BY_ACTIVITY[activity].progress, BY_ACTIVITY[activity].name)
        for activity, begin, end in zip(story.scheduled, begins, ends, strict=True)
        if begin - SAME <= at <= end + SAME
    ]
