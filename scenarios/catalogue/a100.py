"""The A100: offline, moving to another address, hanging, out of memory, busy."""

from scenarios.catalogue.happy import ADD
from scenarios.scenario import Expect, Scenario, failed, rule

THEME = "A100"

SCENARIOS = (
    Scenario(
        name="a100-offline",
        story="No A100 answers its health: the try-on fails at once, and no attempt is wasted on it.",
        theme=THEME,
        rules=(rule("a100", "health", "refuse"), rule("a100_spare", "health", "refuse")),
        expect=failed(
            "A100_UNAVAILABLE",
            "GENERATING_IMAGES",
            message="A100 server is offline",
            length_s=2,
            attempts={"generate_images": (2,)},
            calls={"a100.health": 1, "a100_spare.health": 1, "a100.generate": 0, "a100_spare.generate": 0},
        ),
    ),
    Scenario(
        name="a100-offline-for-strokes",
        story="The same at the painting of the mask, with that step's name.",
        theme=THEME,
        strokes=(ADD,),
        rules=(rule("a100", "health", "refuse"), rule("a100_spare", "health", "garbage")),
        expect=failed("A100_UNAVAILABLE", "REFINING_MASK", attempts={"refine_mask": (2,)}),
    ),
    Scenario(
        name="a100-says-it-is-starting",
        story="A server whose health is not `online` is not asked; both are not: unavailable.",
        theme=THEME,
        rules=(
            rule("a100", "health", "status", status=200, body={"status": "starting", "gpu_memory_free": 0}),
            rule("a100_spare", "health", "wrong_type", field="status"),
        ),
        expect=failed("A100_UNAVAILABLE", "GENERATING_IMAGES", calls={"a100.generate": 0}),
    ),
    *(
        Scenario(
            name=f"a100-breaks-off-its-health-by-{kind}",
            story=f"The only A100 that is there {how} when its health is asked for: it is asked again.",
            theme=THEME,
            rules=(rule("a100", "health", kind, calls="1-2"), rule("a100_spare", "health", "refuse")),
            expect=Expect(attempts={"generate_images": (2, 4, 8)}, calls={"a100.generate": 1}),
        )
        for kind, how in (("reset", "resets the connection"), ("empty", "closes the connection"))
    ),
    Scenario(
        name="a100-health-busy-once",
        story="A server too busy for its health check is not offline: two seconds later it says so.",
        theme=THEME,
        rules=(rule("a100", "health", "status", calls="1", status=503), rule("a100_spare", "health", "refuse")),
        expect=Expect(attempts={"generate_images": (2, 4)}, calls={"a100.health": 2, "a100.generate": 1}),
    ),
    Scenario(
        name="a100-health-busy-says-when",
        story="The same with 429 and a Retry-After, which is heeded.",
        theme=THEME,
        rules=(
            rule("a100", "health", "status", calls="1", status=429, retry_after=20),
            rule("a100_spare", "health", "refuse"),
        ),
        expect=Expect(attempts={"generate_images": (2, 22)}),
    ),
    Scenario(
        name="a100-health-hangs-everywhere",
        story="No server answers its health check within 3 s: too slow is not offline, and is tried three times.",
        theme=THEME,
        rules=(rule("a100", "health", "hang"), rule("a100_spare", "health", "hang")),
        expect=failed(
            "A100_TIMEOUT",
            "GENERATING_IMAGES",
            attempts={"generate_images": (2, 10, 20)},
            calls={"a100.health": 3, "a100_spare.health": 3, "a100.generate": 0},
        ),
    ),
    Scenario(
        name="a100-health-broken-everywhere",
        story="Servers whose health is a 500 are in error, three times over, and not offline.",
        theme=THEME,
        rules=(rule("a100", "health", "status", status=500), rule("a100_spare", "health", "refuse")),
        expect=failed("A100_ERROR", "GENERATING_IMAGES", attempts={"generate_images": (2, 4, 8)}),
    ),
    Scenario(
        name="a100-at-its-other-address",
        story="The first address is dead: the second one in A100_URLS makes the pictures, in the same attempt.",
        theme=THEME,
        rules=(rule("a100", "health", "refuse"),),
        expect=Expect(length_s=2, calls={"a100.generate": 0, "a100_spare.health": 1, "a100_spare.generate": 1}),
    ),
    Scenario(
        name="a100-health-hangs",
        story="A server whose health hangs costs 3 s, then the next one is asked.",
        theme=THEME,
        rules=(rule("a100", "health", "hang"),),
        expect=Expect(length_s=5, calls={"a100_spare.generate": 1}),
    ),
    Scenario(
        name="a100-moves-during-generate",
        story="The server goes away in the middle of a generate: the same attempt goes on at the other address.",
        theme=THEME,
        rules=(
            rule("a100", "generate", "reset", calls="1"),
            rule("a100", "health", "refuse", calls="2"),
        ),
        expect=Expect(
            attempts={"generate_images": (2,)},
            calls={"a100.health": 2, "a100.generate": 1, "a100_spare.generate": 1},
        ),
    ),
    Scenario(
        name="a100-dies-during-the-last-generate",
        story="The only server that was online dies in the middle of a generate: unavailable, and not retried.",
        theme=THEME,
        rules=(
            rule("a100", "generate", "reset"),
            rule("a100", "health", "refuse", calls="2-"),
            rule("a100_spare", "health", "refuse"),
        ),
        expect=failed(
            "A100_UNAVAILABLE", "GENERATING_IMAGES", attempts={"generate_images": (2,)}, calls={"a100.generate": 1}
        ),
    ),
    Scenario(
        name="a100-hangs-and-is-gone",
        story="A generate hangs and its server is gone afterwards: the next attempt goes to the other address.",
        theme=THEME,
        rules=(
            rule("a100", "generate", "hang", calls="1"),
            rule("a100", "health", "refuse", calls="2-"),
        ),
        expect=Expect(
            attempts={"generate_images": (2, 169)},
            calls={"a100.generate": 1, "a100_spare.generate": 1},
        ),
    ),
    Scenario(
        name="a100-hangs-while-painting",
        story="Painting that hangs ends after 50 s, under its start_to_close of 60 s.",
        theme=THEME,
        strokes=(ADD,),
        rules=(rule("a100", "refine_mask", "hang"),),
        expect=failed("A100_TIMEOUT", "REFINING_MASK", attempts={"refine_mask": (2, 54, 108)}),
    ),
    Scenario(
        name="a100-out-of-memory-once",
        story="CUDA runs out of memory once; two seconds later there is enough.",
        theme=THEME,
        rules=(
            rule("a100", "generate", "status", calls="1", status=500, body={"detail": "CUDA out of memory"}, delay=9),
        ),
        expect=Expect(attempts={"generate_images": (2, 13)}, calls={"a100.generate": 2}),
    ),
    Scenario(
        name="a100-out-of-memory",
        story="A server that is online and always out of memory is in error, not unavailable.",
        theme=THEME,
        rules=(rule("a100", "generate", "status", status=500, body={"detail": "CUDA out of memory"}),),
        live=True,
        expect=failed("A100_ERROR", "GENERATING_IMAGES", attempts={"generate_images": (2, 4, 8)}),
    ),
    Scenario(
        name="a100-busy-says-when",
        story="A busy server answers 429 with Retry-After: the next attempt comes then.",
        theme=THEME,
        rules=(rule("a100", "generate", "status", calls="1-2", status=429, retry_after=20),),
        expect=Expect(attempts={"generate_images": (2, 22, 42)}),
    ),
)
