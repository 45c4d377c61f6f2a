"""Invariants on what the user is answered: keys, progress, a cancel, a stream, pictures."""

import base64
import re
from collections.abc import Iterator

from scenarios.pipeline import COMPLETED, STEPS
from scenarios.scenario import UNREAD
from scenarios.stories.run import Run, SeenCall

PROGRESS = {*((step.progress, step.name) for step in STEPS), (100, COMPLETED)}
"""What a client may see of a try-on that runs."""
NOTHING_MORE = 204
BAD_REQUEST = 400
CONFLICT = 409
UNAVAILABLE = 503
BY_THE_OPERATOR = {"AZURE_REJECTED", "AZURE_NOT_FOUND"}
"""docs/errors.md: codes of the store after which to come again changes nothing."""
MAY_READ = {"http://localhost:5173", "https://a-preview.lovableproject.com"}
"""docs/api.md, Origins."""
ANSWER_KEYS = {
    "COMPLETED": {"workflowId", "status", "result"},
    "FAILED": {"workflowId", "status", "error"},
    "CANCELLED": {"workflowId", "status"},
}
MOST_DETAILS = 20
"""docs/api.md, Errors."""
ERROR_KEYS = {"code", "message", "failedStep"}
NOT_FOR_PEOPLE = re.compile(
    r"\b(None|True|False|null|Errno)\b|Traceback|\w(Error|Exception)\(|<[^>]* at 0x|^\s*$|[:,(]\s*$"
    r"|\b\d{1,3}(\.\d{1,3}){3}\b|\bhttps?:|\blocalhost\b"
)
"""What no sentence has, but a program's own words, an address, or one in which a part is missing."""


def answers_have_the_specified_keys(run: Run) -> Iterator[str]:
    """GET answers with the specification's keys and no more."""
    wanted = ANSWER_KEYS.get(run.status)
    if wanted is not None and set(run.answer) != wanted:
        yield f"{sorted(run.answer)} instead of {sorted(wanted)}"
    if run.status == "FAILED" and set(run.error) != ERROR_KEYS:
        yield f"the error has {sorted(run.error)} instead of {sorted(ERROR_KEYS)}"


def a_refusal_names_each_field(run: Run) -> Iterator[str]:
    """A request that is refused is told the first field and its problem, how many more there are, and at most 20."""
    if run.status != "REFUSED" or run.error.get("code") != "INVALID_REQUEST":
        return
    said, details = str(run.error.get("message")), run.error.get("details") or [{}]
    first = f"{details[0].get('field')}: {details[0].get('message')}"
    more = said.removeprefix(first)
    told = re.fullmatch(r" \(and ([1-9]\d*) more\)", more)
    count = 1 + int(told[1]) if told else 1
    if not said.startswith(first) or (more and not told) or min(count, MOST_DETAILS) != len(details):
        yield f"{said!r}, with {len(details)} details, of which the first is {first!r}"


def a_start_that_is_refused_for_now_says_when_to_come_again(run: Run) -> Iterator[str]:
    """A 503 has a Retry-After, unless it is the operator who has to mend something first (docs/api.md)."""
    if run.status == "REFUSED" and run.start_answer[0] == UNAVAILABLE:
        mended = run.error.get("code") in BY_THE_OPERATOR
        if mended is not (run.again_after is None):
            yield f"{run.error.get('code')} with a Retry-After of {run.again_after}"


def an_answer_for_now_says_when_to_come_again(run: Run) -> Iterator[str]:
    """So does a 503 to who asks for results, unless it is the operator who has to mend something first."""
    for each in run.acts:
        mended = each.code in BY_THE_OPERATOR
        if each.http_status == UNAVAILABLE and each.act.do in UNREAD and mended is not (each.again_after is None):
            yield f"{each.act.do}: {each.code} with a Retry-After of {each.again_after}"


def what_failed_is_said_to_people(run: Run) -> Iterator[str]:
    """Whatever the user is told of an error, and whoever is on call of an attempt, is a sentence with all its parts."""
    told = [run.error["message"]] if "message" in run.error else []
    told += [each.message for each in run.timeline.attempts if each.message]
    yield from (repr(said) for said in told if NOT_FOR_PEOPLE.search(str(said)))


def what_a_service_says_of_its_failure_goes_no_further(run: Run) -> Iterator[str]:
    """Its own words stand in the log: no user is told them, and no history keeps them (SECURITY.md)."""
    said = {words for call in run.calls if call.service != "blob" for words in _own_words(call)}
    told = [str(run.error.get("message", "")), *(each.message for each in run.timeline.attempts if each.message)]
    yield from (f"{words!r} in {each!r}" for words in said for each in told if words in each)


def _own_words(call: SeenCall) -> Iterator[str]:
    """Yield the sentences with which a service refused a call."""
    if call.status is not None and call.status >= BAD_REQUEST and call.answered:
        yield from (text for text in call.answered.values() if isinstance(text, str) and " " in text)


def progress_never_falls(run: Run) -> Iterator[str]:
    """As a client saw it, from answer to answer; and each step has its own number."""
    progress = [sample[0] for sample in run.samples]
    if progress != sorted(progress):
        yield f"a client saw {progress}"
    for sample in run.samples:
        if sample not in PROGRESS:
            yield f"a client saw {sample[0]} at {sample[1]}"


def a_cancel_is_accepted(run: Run) -> Iterator[str]:
    """POST cancel answers 200 with the status CANCELLED; where the try-on's end overtook it, 409 with that end."""
    if run.cancel_answer is None:
        return
    status, said = run.cancel_answer
    if run.scenario.cancel_heard == "after_the_end":
        ended = {"workflowId": run.workflow_id, "status": run.status}
        if (status, {name: said.get(name) for name in ended}) != (CONFLICT, ended):
            yield f"it answered {run.cancel_answer}, and it was {run.status}"
        return
    wanted = {"workflowId": run.workflow_id, "status": "CANCELLED"}
    if run.cancel_answer == (200, wanted):
        return
    repeated = any(what == "cancel" for what, *_ in run.repeated)
    if not (repeated and status == CONFLICT and wanted.items() <= said.items()):  # it may have ended by then
        yield f"it answered {run.cancel_answer}"


def a_start_of_which_nobody_knows_names_its_try_on(run: Run) -> Iterator[str]:
    """A 503 whose start Temporal may have taken has the id by which it can be found; no other has (docs/api.md)."""
    starts = [said for what, _, said in run.repeated if what == "start"]
    for number, said in enumerate(starts, 1):
        named = run.workflow_id if number <= run.scenario.lost.starts_of_which_nobody_knows else None
        if said.get("workflowId") != named:
            yield f"it answered {said}"


def what_the_user_does_is_answered_for_this_try_on(run: Run) -> Iterator[str]:
    """Each answer names this try-on; a stream tells each progress once, upwards, and one end; pages read what they may.

    A stream that is taken up without saying which event was the last begins with the progress as it is, or the end.
    """
    for each in run.acts:
        if not each.own:
            yield f"{each.act.do} at {each.act.at} was answered for another"
        anew = each.act.do == "events_anew" and len(each.events) > 1
        events = each.events[1:] if anew else each.events
        names = [name for name, *_ in events]
        if names and names != ["progress"] * (len(names) - 1) + ["end"]:
            yield f"the stream told {names}"
        told = [(progress, step) for _, progress, step in events if progress is not None]
        if sorted(set(told)) != told or not PROGRESS.issuperset(told):
            yield f"the stream told {told}"
        if anew and told and (each.events[0][1] or 0) > (told[0][0] or 0):
            yield f"the stream told {each.events[0][1]}, and then {told}"
        if each.act.do == "events_late" and len(events) > 2:
            yield f"after the end the stream told {names[1:]}"
        if each.more not in {None, NOTHING_MORE}:
            yield f"the stream after its end was answered {each.more}"
        for origin, read in each.pages.items():
            if read != (("start", "status", "refusal") if origin in MAY_READ else ()):
                yield f"a page of {origin} was let read {read or 'nothing'}"


def who_waits_is_told_what_stands_at_the_end(run: Run) -> Iterator[str]:
    """A wait that is over before the try-on tells no progress that is less than others were told before."""
    for each in run.acts:
        if each.place and each.place[0] < each.known:
            yield f"{each.act.do} told of {each.place[0]}, and others had been told of {each.known}"


def results_are_pictures(run: Run) -> Iterator[str]:
    """Every picture of a completed answer is base64 of a JPEG; flux is never null; no metrics without their picture."""
    if run.status != "COMPLETED":
        return
    result = run.answer.get("result", {})
    for name, value in result.items():
        if name.endswith("Base64") and value is not None and not base64.b64decode(value).startswith(b"\xff\xd8\xff"):
            yield f"{name} is no JPEG"
    if result.get("fluxResultBase64") is None or result.get("fluxMetrics") is None:
        yield "flux is null"
    if result.get("geminiResultBase64") is None and result.get("geminiMetrics") is not None:
        yield "gemini has metrics without a picture"
