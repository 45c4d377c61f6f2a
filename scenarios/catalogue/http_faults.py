"""Each service with each fault of HTTP, once so that it recovers and once so that its attempts are exhausted.

The times are the policies': image processing tries five times with 1, 2, 4, 8 s between, the ML services three times
with 2 and 4 s. A hang costs the call's own deadline, which ends before Temporal's start_to_close.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from scenarios.catalogue.happy import ADD
from scenarios.scenario import Expect, Scenario, failed, rule

THEME = "HTTP faults"

IMAGE_PAUSES = (1, 2, 4, 8)
ML_PAUSES = (2, 4)
POLL_DEADLINE = 25


@dataclass(frozen=True)
class FaultedCall:
    """A call to a service and what surrounds it; durations in seconds.

    Attributes:
        begins: when its activity begins, in a try-on in which nothing else takes time.
        deadline: after which the application gives the call up.
    """

    service: str
    operation: str
    activity: str
    step: str
    code: str
    pauses: tuple[int, ...]
    deadline: float
    begins: float = 0
    photo: str = "near"
    strokes: tuple[Mapping[str, Any], ...] = ()

    def began(self, attempts: int, cost: float) -> tuple[float, ...]:
        """Return when so many attempts began, if each failed attempt took `cost` from the call on."""
        steps = (self.begins, *(cost + pause for pause in self.pauses[: attempts - 1]))
        return tuple(accumulate(steps))


CALLS = (
    FaultedCall("image_manipulator", "resize", "resize_image", "RESIZING_IMAGE", "IMAGE_MANIPULATOR", IMAGE_PAUSES, 27),
    FaultedCall(
        "birefnet", "submit", "remove_background", "REMOVING_BACKGROUND", "BIREFNET", ML_PAUSES, 120, photo="far"
    ),
    FaultedCall("a100", "generate", "generate_images", "GENERATING_IMAGES", "A100", ML_PAUSES, 165, begins=2),
)


@dataclass(frozen=True)
class HttpFault:
    """A fault of HTTP: what it does, what its failure says, the code's ending, whether it costs a whole deadline."""

    name: str
    says: str
    told: str
    ending: str
    parameters: Mapping[str, Any]
    hangs: bool = False


BROKEN = "could not be reached, or broke the connection"
KINDS = (
    HttpFault("status", "answers 503", "with status 503", "UNAVAILABLE", {"status": 503}),
    HttpFault("reset", "resets the connection", BROKEN, "UNAVAILABLE", {}),
    HttpFault("empty", "closes the connection without a word", BROKEN, "UNAVAILABLE", {}),
    HttpFault("truncate", "breaks off in the middle of its answer", BROKEN, "UNAVAILABLE", {}),
    HttpFault("refuse", "refuses connections", BROKEN, "UNAVAILABLE", {}),
    HttpFault(
        "garbage", "answers with something that is not JSON", "with something that is not JSON", "BAD_ANSWER", {}
    ),
    HttpFault("hang", "takes the call and never answers", "did not answer in time", "TIMEOUT", {}, hangs=True),
    HttpFault(
        "dribble",
        "sends its answer a byte every five seconds",
        "did not answer in time",
        "TIMEOUT",
        {"pause": 5},
        hangs=True,
    ),
)


def _code(call: FaultedCall, kind: HttpFault) -> str:
    """Return the code; an A100 that says it is online while its calls fail is in error, not unavailable."""
    return "A100_ERROR" if (call.code, kind.ending) == ("A100", "UNAVAILABLE") else f"{call.code}_{kind.ending}"


def _matrix() -> Iterator[Scenario]:
    for call in CALLS:
        for kind in KINDS:
            cost = call.deadline if kind.hangs else 0
            recovers = 3
            yield Scenario(
                name=f"{call.service}-{kind.name}-recovers".replace("_", "-"),
                story=f"{call.service}: {call.operation} {kind.says} twice, and the third attempt goes well.",
                theme=THEME,
                photo=call.photo,
                rules=(rule(call.service, call.operation, kind.name, calls="1-2", **kind.parameters),),
                # One of each ending also in real time; what waits for a deadline would take minutes there.
                live=kind.name in {"status", "reset", "garbage"},
                expect=Expect(
                    attempts={call.activity: call.began(recovers, cost)},
                    calls={f"{call.service}.{call.operation}": recovers},
                ),
            )
            attempts = len(call.pauses) + 1
            yield Scenario(
                name=f"{call.service}-{kind.name}-exhausts".replace("_", "-"),
                story=f"{call.service}: {call.operation} {kind.says} every time, and the attempts run out.",
                theme=THEME,
                photo=call.photo,
                rules=(rule(call.service, call.operation, kind.name, **kind.parameters),),
                expect=failed(
                    _code(call, kind),
                    call.step,
                    attempts={call.activity: call.began(attempts, cost)},
                    calls={f"{call.service}.{call.operation}": attempts},
                    message=kind.told,
                ),
            )


def _polls() -> Iterator[Scenario]:
    """The same faults of polls: no attempt is spent on them, and no other job submitted."""
    for kind in KINDS:
        yield Scenario(
            name=f"sam3-{kind.name}-recovers",
            story=f"sam3: poll {kind.says} twice, and the third one finds the job done.",
            theme=THEME,
            rules=(rule("sam3", "poll", kind.name, calls="1-2", **kind.parameters),),
            expect=Expect(
                length_s=2 + 2 * (POLL_DEADLINE if kind.hangs else 0) + 4,
                attempts={"generate_mask": (0,)},
                calls={"sam3.submit": 1, "sam3.poll": 3},
            ),
        )
        yield Scenario(
            name=f"sam3-{kind.name}-exhausts",
            story=f"sam3: poll {kind.says} every time, and the job's time is over.",
            theme=THEME,
            rules=(rule("sam3", "poll", kind.name, **kind.parameters),),
            expect=failed(
                f"SAM3_{kind.ending}",
                "GENERATING_MASK",
                length_s=120,
                attempts={"generate_mask": (0,)},
                calls={"sam3.submit": 1, "sam3.poll": 5 if kind.hangs else 60},
            ),
        )


SCENARIOS = (
    *_matrix(),
    *_polls(),
    *(
        Scenario(
            name=f"{service}-{operation}-refused-at-once".replace("_", "-"),
            story=f"{service} answers {operation} with a 4xx: trying again would change nothing, so nothing is.",
            theme=THEME,
            photo="far",
            strokes=(ADD,),
            rules=(rule(service, operation, "status", status=status),),
            # A refusal says nothing of the server's health: it is asked before the call, and not once more after it.
            expect=failed(code, step, calls={f"{service}.{operation}": 1, "a100.health": healths}),
        )
        for service, operation, status, code, step, healths in (
            ("image_manipulator", "resize", 400, "IMAGE_MANIPULATOR_REJECTED", "RESIZING_IMAGE", 0),
            ("image_manipulator", "zoom_check", 422, "IMAGE_MANIPULATOR_REJECTED", "CHECKING_ZOOM", 0),
            ("birefnet", "submit", 403, "BIREFNET_REJECTED", "REMOVING_BACKGROUND", 0),
            ("sam3", "submit", 422, "SAM3_REJECTED", "GENERATING_MASK", 0),
            ("a100", "refine_mask", 413, "A100_REJECTED", "REFINING_MASK", 1),
            ("a100", "generate", 400, "A100_REJECTED", "GENERATING_IMAGES", 2),
        )
    ),
    *(
        Scenario(
            name=f"{service}-poll-refused-every-time",
            story=f"{service} answers polls with a 4xx: the job may be under way, so nothing else is asked of the GPU.",
            theme=THEME,
            photo="far",
            rules=(rule(service, "poll", "status", status=status),),
            expect=failed(code, step, length_s=length_s, calls={f"{service}.submit": 1, f"{service}.poll": 60}),
        )
        for service, status, code, step, length_s in (
            ("birefnet", 401, "BIREFNET_UNAVAILABLE", "REMOVING_BACKGROUND", 120),
            ("sam3", 410, "SAM3_UNAVAILABLE", "GENERATING_MASK", 122),
        )
    ),
    Scenario(
        name="zoom-check-recovers",
        story="The second call to the image manipulator is retried by itself; the resize is not repeated.",
        theme=THEME,
        rules=(rule("image_manipulator", "zoom_check", "status", calls="1-4", status=500),),
        live=True,
        expect=Expect(
            attempts={"check_zoom": (0, 1, 3, 7, 15)},
            calls={"image_manipulator.resize": 1, "image_manipulator.zoom_check": 5},
        ),
    ),
    Scenario(
        name="retry-after-is-honoured",
        story="A busy image manipulator says when to come back: the next attempt waits 7 s instead of 1 s.",
        theme=THEME,
        rules=(rule("image_manipulator", "resize", "status", calls="1", status=429, retry_after=7),),
        expect=Expect(attempts={"resize_image": (0, 7)}),
    ),
    Scenario(
        name="retry-after-has-a-limit",
        story="A service that says to come back in an hour is asked again after a minute.",
        theme=THEME,
        rules=(rule("sam3", "submit", "status", calls="1", status=503, retry_after=3600),),
        expect=Expect(attempts={"generate_mask": (0, 60)}),
    ),
    Scenario(
        name="slow-answers-are-waited-for",
        story="A resize of 20 s and a generate of 160 s are slow, not broken: no attempt is repeated.",
        theme=THEME,
        rules=(
            rule("image_manipulator", "resize", "delay", seconds=20),
            rule("a100", "generate", "delay", seconds=160),
        ),
        expect=Expect(length_s=182, attempts={"resize_image": (0,), "generate_images": (22,)}),
    ),
    Scenario(
        name="wrong-content-type-is-read",
        story="JSON under the name of HTML is still the agreed JSON; what counts is what is in it.",
        theme=THEME,
        rules=(rule("image_manipulator", "resize", "content_type"),),
        expect=Expect(calls={"image_manipulator.resize": 1}),
    ),
    Scenario(
        name="answer-lost-after-submit",
        story="The answer to a submit is lost: there is no ticket to resume by, so the next attempt submits anew.",
        theme=THEME,
        rules=(rule("sam3", "submit", "answer_lost", calls="1"),),
        expect=Expect(attempts={"generate_mask": (0, 2)}, calls={"sam3.submit": 2, "sam3.poll": 1}),
    ),
    Scenario(
        name="answer-lost-after-generate",
        story="The answer to a generate is lost: the GPU has to do it once more, and does it once more only.",
        theme=THEME,
        rules=(rule("a100", "generate", "answer_lost", calls="1"),),
        expect=Expect(attempts={"generate_images": (2, 4)}, calls={"a100.generate": 2}),
    ),
    Scenario(
        name="a-status-of-no-use",
        story="300 is no answer, whatever it says: a bad one, and the A100 is asked again.",
        theme=THEME,
        rules=(rule("a100", "generate", "status", calls="1", status=300),),
        expect=Expect(attempts={"generate_images": (2, 4)}),
    ),
    Scenario(
        name="too-early",
        story="425 passes by itself, as 429 does.",
        theme=THEME,
        rules=(rule("image_manipulator", "resize", "status", calls="1", status=425),),
        expect=Expect(attempts={"resize_image": (0, 1)}),
    ),
    Scenario(
        name="redirect-is-not-followed",
        story="A redirect to another host is not the service's answer.",
        theme=THEME,
        rules=(rule("image_manipulator", "resize", "status", status=302, headers={"location": "http://127.0.0.1:9/"}),),
        expect=failed("IMAGE_MANIPULATOR_BAD_ANSWER", "RESIZING_IMAGE", message="redirect"),
    ),
)
