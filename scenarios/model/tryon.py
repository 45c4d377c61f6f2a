"""The steps of a try-on in their order (specification, Workflow Logic), told from a plan."""

from collections.abc import Callable
from functools import partial
from math import ceil
from typing import Any, TypeVar

from scenarios.model.a100 import A100, on_an_a100
from scenarios.model.answers import NO_SHARES, OFF, PERHAPS_NO_SHARES
from scenarios.model.calls import CODES, AttemptUnderWay, Failure, Telling, call
from scenarios.model.choices import Choices, Undecided
from scenarios.model.clock import SAME, Cancelled, ModelClock, Unheard, WorkerLeft
from scenarios.model.faults import OWN, Matched
from scenarios.model.jobs import Desk, run_job
from scenarios.model.numbers import DEADLINE, END_MARGIN, RESULT_AT_ONCE, RESULT_MOST, SIZE_TOLERANCE
from scenarios.model.pictures import in_another_scale, in_no_scale, noticed
from scenarios.model.replies import answered
from scenarios.model.request import BY_THE_FIRST_STEP, INVALID_IMAGE, refusal
from scenarios.model.services import Services
from scenarios.model.staging import refused
from scenarios.model.store import blob, looked_at, patiently
from scenarios.model.story import CANCELLED, COMPLETED, WRITTEN_ANEW, Attempt, Story
from scenarios.photos import PHOTOS
from scenarios.pipeline import BY_ACTIVITY, Step
from scenarios.plans import Plan, scenario_of

ResultT = TypeVar("ResultT")
PICTURES = {
    "result_base64": "fluxResultBase64",
    "result_gemini_base64": "geminiResultBase64",
    "fidelity_viz_base64": "fluxFidelityVizBase64",
    "fidelity_viz_gemini_base64": "geminiFidelityVizBase64",
}
"""In the order in which they are stored: the A100's names, and the result's (specification, API Endpoints)."""
METRICS = {"metrics": "fluxMetrics", "metrics_gemini": "geminiMetrics"}


CUT_OFF = "STEP_TIMEOUT"
"""docs/errors.md: the last attempt of a step was cut off."""


class StepFailed(Exception):  # noqa: N818 - it is no error: the try-on has failed
    """A step's last attempt has failed."""

    def __init__(self, step: Step, code: str) -> None:
        super().__init__(code)
        self.step = step
        self.code = code


def told(plan: Plan, choices: Choices) -> Story:
    """Return the whole story of a plan, with one way to choose where the specification leaves freedom.

    Raises:
        Undecided: the model says nothing of this plan.
    """
    story = Story()
    scenario = scenario_of(plan)
    services = Services(scenario.rules)
    in_time = plan.cancel_heard != "after_the_end"
    clock = ModelClock(plan.cancel_at if in_time else None, plan.cancel_heard, choices, scenario.departures)
    telling = Telling(plan, clock, choices, services, story)
    if no := refusal(plan) or refused(plan):
        story.status, (story.http_status, story.code) = "REFUSED", no
    else:
        _try_on(telling)
        story.lost_starts = scenario.lost.starts
        if plan.cancel_at is not None and plan.cancel_at <= story.length + SAME:  # nobody cancels after the end
            story.cancel = 200 if story.status == "CANCELLED" else 409
    story.fired = tuple(place in services.fired for place in range(len(services.rules)))
    story.replies = answered(plan, story)
    return story


def _try_on(telling: Telling) -> None:
    story, clock = telling.story, telling.clock
    try:
        _steps(telling)
        clock.point()
    except StepFailed as failed:
        story.status, story.code, story.step = "FAILED", failed.code, failed.step.name
    except Cancelled as cancelled:
        story.status, story.unheard = "CANCELLED", isinstance(cancelled, Unheard)
    else:
        story.status = "COMPLETED"
        story.background_removed = PHOTOS[telling.plan.photo].far
        story.steps.append((100, "COMPLETED"))
    story.length = clock.now
    if story.status != "COMPLETED":
        story.results = frozenset()


def _steps(telling: Telling) -> None:
    plan, pictures = telling.plan, telling.pictures
    _activity(telling, "upload_to_azure", lambda step: _upload(telling, step))
    pictures["upload"] = "photo"
    _activity(telling, "resize_image", lambda step: _resize(telling, step))
    pictures["subject"] = pictures["resized"]
    if _activity(telling, "check_zoom", lambda step: _zoom(telling, step)):
        _job_activity(telling, "remove_background", "birefnet", "result_uri", "cutout")
        pictures["subject"] = pictures["cutout"]
    _job_activity(telling, "generate_mask", "sam3", "mask_uri", "mask")
    pictures["final mask"] = pictures["mask"]
    if plan.strokes:
        _activity(telling, "refine_mask", lambda step: _refine(telling, step))
        pictures["final mask"] = pictures["refined"]
    _activity(telling, "generate_images", lambda step: _generate(telling, step))


def _to_its_end(clock: ModelClock, work: Callable[[], ResultT]) -> ResultT:
    """Return what the work comes to. A cancel at the very instant of its end, a failure too, may come before."""
    try:
        result = work()
    except Failure:
        clock.point()
        raise
    clock.point()
    return result


def _activity(telling: Telling, activity: str, work: Callable[[AttemptUnderWay], ResultT]) -> ResultT:
    """Make the attempts of an activity, as its retry policy says (specification, Retry Policies)."""
    specified = BY_ACTIVITY[activity]
    clock, retry, choices = telling.clock, specified.retry, telling.choices
    telling.story.steps.append((specified.progress, specified.name))
    telling.story.scheduled[activity] = clock.now
    for number in range(1, retry.attempts + 1):
        clock.point()
        clock.begins()
        began = clock.now
        attempt = Attempt(activity, number, began)
        telling.story.attempts.append(attempt)
        end = began + specified.start_to_close_s - END_MARGIN
        try:
            clock.point()
            under_way = AttemptUnderWay(number, began + DEADLINE[activity], end)
            result = _to_its_end(clock, partial(work, under_way))
        except Cancelled:
            attempt.ended, attempt.outcome = clock.now, CANCELLED
            raise
        except WorkerLeft as left:
            failure = Failure(CUT_OFF)
            attempt.outcome = _cut_off(clock, left, specified)
            attempt.ended = clock.now
        except Failure as known:
            failure = known
            attempt.ended, attempt.outcome = clock.now, failure.code
        else:
            attempt.ended, attempt.outcome = clock.now, COMPLETED
            clock.heeds()
            return result
        finally:
            clock.ends()
        clock.heeds()
        if failure.final or number == retry.attempts:
            clock.point()
            raise StepFailed(specified, failure.code) from None
        backoff = min(retry.first_s * retry.coefficient ** (number - 1), retry.longest_s)
        clock.passes(backoff if failure.retry_after is None else failure.retry_after or choices.either(0.0, backoff))
    raise AssertionError("the last attempt returns or raises")


def _cut_off(clock: ModelClock, left: WorkerLeft, step: Step) -> str:
    """Return how an attempt ends that has no worker any more; of one that died the server has to find out."""
    if not left.silently:
        return "WORKER_SHUTDOWN"
    return "HEARTBEAT" if clock.is_missed(step.start_to_close_s) else "START_TO_CLOSE"


def _upload(telling: Telling, step: AttemptUnderWay) -> None:
    blob(telling, "get", step.deadline)
    if telling.plan.photo in BY_THE_FIRST_STEP:
        raise Failure(INVALID_IMAGE, final=True)
    blob(telling, "put", step.deadline)


def _resize(telling: Telling, step: AttemptUnderWay) -> None:
    truth = {"resized_uri": OWN, "original_width": 1, "original_height": 1, "new_width": 1, "new_height": 1}
    reply = call(telling, step, "image_manipulator", "resize", truth)
    bad, off = CODES["image_manipulator"]["bad"], (reply.json or {}).get(OFF, {})
    if reply.json and reply.json["resized_uri"] != OWN:
        raise Failure(bad)
    if any(by > SIZE_TOLERANCE or name.startswith("original") for name, by in off.items()):
        raise Failure(bad)
    if off and reply.lies:
        raise Undecided("a picture of another size, under another size's numbers")
    _look(telling, step, "resize", reply.lies, made="resized", of="photo", bad=bad, refused=bool(off))


def _zoom(telling: Telling, step: AttemptUnderWay) -> bool:
    far = PHOTOS[telling.plan.photo].far
    reply = call(
        telling,
        step,
        "image_manipulator",
        "zoom_check",
        {"recommend_bg_removal": far, "zoom_level": 0.3 if far else 0.9},
    )
    assert reply.json is not None
    return bool(reply.json["recommend_bg_removal"])


def _job_activity(telling: Telling, activity: str, service: str, field: str, made: str) -> None:
    desk = Desk(activity)
    of = telling.pictures["subject"]

    def look(step: AttemptUnderWay, lies: tuple[Matched, ...], result: str) -> None:
        if result != OWN:
            raise Failure(CODES[service]["bad"])
        _look(telling, step, service, lies, made=made, of=of, bad=CODES[service]["bad"])

    _activity(telling, activity, lambda step: run_job(telling, step, service, field, desk=desk, look=look))


def _refine(telling: Telling, step: AttemptUnderWay) -> None:
    reply = on_an_a100(telling, step, "refine_mask", {"refined_mask_uri": OWN})
    if reply.json and reply.json["refined_mask_uri"] != OWN:
        raise Failure(CODES[A100]["bad"])
    _look(telling, step, "refine_mask", reply.lies, made="refined", of="mask", bad=CODES[A100]["bad"])


def _generate(telling: Telling, step: AttemptUnderWay) -> None:
    truth: dict[str, Any] = {**dict.fromkeys(PICTURES, "a picture"), "metrics": {}, "metrics_gemini": {}}
    reply = on_an_a100(telling, step, "generate", truth)
    answer = dict(reply.json or {})
    telling.services.fired.update(each.rule for each in reply.lies)
    metrics = [answer.get(name) for name in METRICS]
    no_shares = NO_SHARES in metrics or (PERHAPS_NO_SHARES in metrics and telling.choices.either(True, False))
    if (
        answer["result_base64"] == "broken"
        or no_shares
        or noticed("generate", reply.lies, telling.plan, telling.choices)
    ):
        raise Failure(CODES[A100]["bad"])
    # One beside the first is not worth the good ones (docs/api.md).
    answer |= {name: None for name in PICTURES if answer.get(name) == "broken"}
    if answer.get("result_gemini_base64") is None:  # what is said of a picture that is not there is left out
        answer |= {"fidelity_viz_gemini_base64": None, "metrics_gemini": None}
    present = [name for name in PICTURES if answer.get(name) is not None]
    for _ in present:
        patiently(telling, step, "put")
    told = {PICTURES[name] for name in present} | {METRICS[name] for name in METRICS if answer.get(name) is not None}
    telling.story.results = frozenset(told)


def _look(
    telling: Telling,
    step: AttemptUnderWay,
    operation: str,
    lies: tuple[Matched, ...],
    *,
    made: str,
    of: str,
    bad: str,
    refused: bool = False,
) -> None:
    """Read what a service made of another picture, and look at it. Its name goes with that of what it is made of.

    It is refused for its lies, or for what was said of it.
    """
    telling.services.fired.update(each.rule for each in lies)
    kinds = {each.kind for each in lies}
    # Not even read: its name is another try-on's, or the photo's.
    if "mask_foreign" in kinds or ("source_named" in kinds and operation == "resize"):
        raise Failure(bad)
    hidden = "result_named" in kinds or of in telling.hidden
    heavy = max(
        (int(each.fault.get("size", RESULT_MOST + 1)) for each in lies if each.kind == "picture_heavy"), default=0
    )
    if heavy > RESULT_AT_ONCE and "result_format" in kinds:
        raise Undecided("how heavy a picture is that is padded and written anew")
    too_heavy = heavy > RESULT_MOST
    looked_at(
        telling,
        step,
        bad,
        lambda: refused or too_heavy or noticed(operation, lies, telling.plan, telling.choices),
        hidden=hidden,
        # One that is too heavy is refused at its first piece; of none at all no piece can be had, so it is read whole.
        pieces=1 if too_heavy else 2 if "picture_empty" in kinds else max(1, ceil(heavy / RESULT_AT_ONCE)),
        final=not refused and not too_heavy and in_no_scale(operation, lies),
    )
    telling.pictures[made] = made
    if made in {"mask", "refined"} and in_another_scale(operation, lies, telling.plan):
        patiently(telling, step, "put")
        telling.pictures[made] += WRITTEN_ANEW
    elif hidden:
        telling.hidden.add(made)
