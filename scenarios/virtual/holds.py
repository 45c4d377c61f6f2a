"""What is on its way between worker and server, so that time stands still: a lost one hangs, a missing one lies."""

from typing import NamedTuple


class Hold(NamedTuple):
    """Something on its way between worker and server, during which time stands still.

    Attributes:
        kind: what it is; see `WORDS`.
        of: the run or workflow that it belongs to.
        which: the activity, timer or message among those of the same kind.
    """

    kind: str
    of: str
    which: object = ""


WORDS = {
    "activity": "activity {which} to be handed to a worker here, or the workflow to hear of its end",
    "local": "local activity {which} to begin, or the workflow to hear of its end",
    "timer": "the workflow to hear that its timer {which} has fired",
    "begin": "workflow {of} to begin here",
    "child start": "the workflow to hear that its child has started",
    "child end": "the workflow to hear that its child has ended",
    "signal": "workflow {of} to hear a signal",
    "cancel": "workflow {of} to hear of its cancellation",
    "update": "workflow {of} to hear an update",
    "close": "the server to close workflow {of}",
    "asking": "the server to say that activity {which} is cancelled",
    "result": "who asked for the result of workflow {of} to get it",
    "outcome": "who sent update {which} to workflow {of} to get its outcome",
    "plan": "what was planned for {of} to be done",
}
