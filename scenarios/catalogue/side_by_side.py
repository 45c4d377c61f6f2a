"""Two users at once: what goes wrong for one is nothing to the other."""

from scenarios.scenario import Act, Expect, Scenario, cancelled, failed, rule

THEME = "side by side"

SCENARIOS = (
    Scenario(
        name="several-wait-for-one-try-on",
        story="Several clients wait for one try-on, and some leave: the others are told its end, whenever they came.",
        theme=THEME,
        rules=(rule("sam3", "submit", "job_slow", seconds=30),),
        acts=(
            Act("crowd", "accepted"),
            Act("crowd", 10.5),
            Act("wait", 11),
            Act("wait_briefly", 12),
            Act("crowd", "end"),
        ),
        expect=Expect(length_s=30, calls={"sam3.poll": 15}),
    ),
    Scenario(
        name="one-broken-one-not",
        story="One try-on's masks fail every time; the other, at the same moment, is complete after 2 s.",
        theme=THEME,
        rules=(rule("sam3", "submit", "job_failed"),),
        expect=failed("SAM3_JOB_FAILED", "GENERATING_MASK", attempts={"generate_mask": (0, 4, 10)}),
        beside=(
            Scenario(
                name="one-broken-one-not-b",
                story="The other one.",
                theme=THEME,
                expect=Expect(length_s=2, calls={"sam3.submit": 1}),
            ),
        ),
    ),
    Scenario(
        name="one-cancelled-one-slow",
        story="One user cancels at 30 s; the other one's slow job goes on to its end at 60 s.",
        theme=THEME,
        rules=(rule("sam3", "submit", "job_slow", seconds=60),),
        cancel_at=30,
        expect=cancelled(length_s=30),
        beside=(
            Scenario(
                name="one-cancelled-one-slow-b",
                story="The patient one.",
                theme=THEME,
                rules=(rule("sam3", "submit", "job_slow", seconds=60),),
                expect=Expect(length_s=60, calls={"sam3.poll": 30}),
            ),
        ),
    ),
)
