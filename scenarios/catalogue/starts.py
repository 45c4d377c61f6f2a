"""The start's own path: answers of Temporal that are lost, starts that it refuses, bodies as large as they may be."""

from scenarios.scenario import UNREAD, Act, Expect, Lost, Scenario, Staging, refused

THEME = "starts"

MOST = 32 * 2**20
"""Bytes of a body (docs/api.md)."""
WITHOUT_LENGTH = {"Transfer-Encoding": "chunked"}
ONCE = Expect(calls={"sam3.submit": 1, "a100.generate": 1})

SCENARIOS = (
    Scenario(
        name="a-start-whose-answer-is-lost",
        story="Temporal takes the try-on, and its answer is lost: it is asked once more, and there is one try-on.",
        theme=THEME,
        lost=Lost(start=1),
        expect=ONCE,
    ),
    Scenario(
        name="a-start-whose-answers-are-lost",
        story="Both answers of Temporal are lost: the 503 names the try-on, and the user's repeat finds it.",
        theme=THEME,
        lost=Lost(start=2),
        expect=ONCE,
    ),
    Scenario(
        name="a-start-whose-answer-is-lost-and-which-is-then-refused",
        story="Temporal takes the try-on and says nothing, and refuses the second question: the 503 names the try-on.",
        theme=THEME,
        lost=Lost(start=1, refused=1),
        expect=ONCE,
    ),
    Scenario(
        name="a-start-that-is-refused",
        story="Temporal refuses two starts outright: nothing is started by them, and their 503 names nothing.",
        theme=THEME,
        lost=Lost(refused=2),
        expect=ONCE,
    ),
    Scenario(
        name="a-start-without-a-key",
        story="A start without a key of which nobody knows anything is sent again by the id that its 503 names.",
        theme=THEME,
        lost=Lost(keyless=True),
        expect=ONCE,
    ),
    Scenario(
        name="a-start-with-an-api-key",
        story="The gateway knows its callers by keys: the user's own are let in, and strangers see and change nothing.",
        theme=THEME,
        guarded=True,
        acts=(
            *(Act("stranger", at) for at in ("accepted", 1, "end")),
            *(Act(do, "end") for do in ("keyed", "repeat", "repeat_other", "status", "from_pages")),
        ),
        expect=ONCE,
    ),
    Scenario(
        name="a-start-with-an-api-key-and-without-a-key-of-its-own",
        story="As long as nobody knows of it, the id that a 503 names stands for its try-on, whoever the caller is.",
        theme=THEME,
        guarded=True,
        lost=Lost(keyless=True, start=2),
        acts=(Act("repeat", "end"),),
        expect=ONCE,
    ),
    Scenario(
        name="results-that-the-store-does-not-give",
        story="The results are gone, or their container, or not for now, or for nobody: each is said, with what to do.",
        theme=THEME,
        acts=(*(Act(do, "end") for do in UNREAD), Act("status", "end")),
        expect=ONCE,
    ),
    Scenario(
        name="a-photo-that-the-store-takes-at-last",
        story="The store is busy twice when the photo is staged: the gateway asks again by itself.",
        theme=THEME,
        staging=Staging(503, "ServerBusy", times=2),
        expect=ONCE,
    ),
    Scenario(
        name="a-photo-for-a-busy-store",
        story="The store stays busy when the photo is staged: nothing is started, and the user may come again.",
        theme=THEME,
        staging=Staging(503, "ServerBusy"),
        expect=refused(503, "AZURE_UNAVAILABLE"),
    ),
    Scenario(
        name="a-photo-for-a-container-that-is-being-deleted",
        story="The container is being deleted when the photo is staged, which passes: the user may come again.",
        theme=THEME,
        staging=Staging(409, "ContainerBeingDeleted"),
        expect=refused(503, "AZURE_UNAVAILABLE"),
    ),
    *(
        Scenario(
            name=f"a-photo-that-the-store-refuses-with-{status}",
            story=f"The store answers {code} when the photo is staged: the operator has to mend that.",
            theme=THEME,
            staging=Staging(status, code),
            expect=refused(503, "AZURE_REJECTED"),
        )
        for status, code in ((403, "AuthenticationFailed"), (404, "ContainerNotFound"))
    ),
    Scenario(
        name="a-body-as-large-as-is-taken",
        story="A body of 32 MiB is taken.",
        theme=THEME,
        size=MOST,
        expect=ONCE,
    ),
    Scenario(
        name="a-body-of-a-byte-more",
        story="A body of 32 MiB and a byte is refused by its length.",
        theme=THEME,
        size=MOST + 1,
        expect=refused(413, "BODY_TOO_LARGE"),
    ),
    Scenario(
        name="a-body-without-a-length",
        story="A body of 32 MiB that does not say how long it is is taken.",
        theme=THEME,
        size=MOST,
        headers=WITHOUT_LENGTH,
        expect=ONCE,
    ),
    Scenario(
        name="a-body-without-a-length-of-a-byte-more",
        story="A body that does not say how long it is is read as far as one may be long, and refused.",
        theme=THEME,
        size=MOST + 1,
        headers=WITHOUT_LENGTH,
        expect=refused(413, "BODY_TOO_LARGE"),
    ),
)
