"""What hosts do between a caller and a service, and results in another dress: waited out, or taken as they are."""

from scenarios.scenario import Expect, Scenario, rule

THEME = "hosts"

SCENARIOS = (
    Scenario(
        name="host-starts-cold",
        story="The first submit waits a minute for the container; no second job is asked of the GPU.",
        theme=THEME,
        rules=(rule("sam3", "submit", "cold_start", seconds=60),),
        expect=Expect(length_s=62, calls={"sam3.submit": 1, "sam3.poll": 1}),
    ),
    Scenario(
        name="host-queues-the-job",
        story="A job that stands in a queue for half a minute is waited for.",
        theme=THEME,
        rules=(rule("sam3", "submit", "queue", seconds=30),),
        expect=Expect(length_s=30, calls={"sam3.submit": 1, "sam3.poll": 15}),
    ),
    Scenario(
        name="host-is-not-ready",
        story="A host that answers 202 without a body has no answer yet: the job goes on.",
        theme=THEME,
        rules=(rule("sam3", "poll", "not_ready", calls="1-3"),),
        expect=Expect(length_s=8, calls={"sam3.submit": 1, "sam3.poll": 4}),
    ),
    Scenario(
        name="host-fails-polls-in-a-row",
        story="Three polls that fail in a row cost no job.",
        theme=THEME,
        rules=(rule("sam3", "poll", "poll_errors", number=3),),
        expect=Expect(length_s=8, calls={"sam3.submit": 1, "sam3.poll": 4}),
    ),
    *(
        Scenario(
            name=f"dress-{kind.replace('_', '-')}",
            story=f"{story}: it is taken as it is.",
            theme=THEME,
            rules=(rule(service, operation, kind),),
            expect=Expect(),
        )
        for service, operation, kind, story in (
            ("image_manipulator", "resize", "result_named", "A result under another name within the container"),
            ("image_manipulator", "resize", "result_format", "A resized photo that is a PNG, and is called so"),
            ("sam3", "submit", "mask_values", "A mask of zeros and ones"),
            ("a100", "generate", "float_noise", "Metrics with the noise of 32-bit floats"),
            ("a100", "generate", "base64_dress", "Pictures as data URLs"),
            ("a100", "generate", "redirect", "An answer to which a 303 leads"),
        )
    ),
)
