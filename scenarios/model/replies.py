"""What the user is answered, beside the try-on's own end (docs/api.md)."""

from scenarios.model.story import Reply, Story
from scenarios.plans import Plan

RUNNING = "RUNNING"
FINISHED = "WORKFLOW_FINISHED"
REUSED = "IDEMPOTENCY_KEY_REUSED"


def answered(plan: Plan, story: Story) -> list[tuple[Reply, ...]]:
    """Return for each act the answers that are allowed: what happens right after the start races the try-on."""
    if story.status == "REFUSED":
        return []
    acts = [act for act in plan.acts if isinstance(act.at, str)]
    in_order = sorted(acts, key=lambda act: ("accepted", "end").index(str(act.at)))
    return [tuple(_replies(act.do, str(act.at), story.status)) for act in in_order]


def _replies(do: str, at: str, status: str) -> list[Reply]:
    name = f"{do} at {at}"
    if do == "repeat":  # the answer of the start, word for word
        return [Reply(name, 202, RUNNING)]
    if do == "repeat_other":
        return [Reply(name, 409, None, REUSED)]
    if do == "cancel":
        return [Reply(name, 409, status, FINISHED)]
    ended = Reply(name, 200, status)
    return [ended] if do in {"wait", "events"} or at == "end" else [Reply(name, 200, RUNNING), ended]
