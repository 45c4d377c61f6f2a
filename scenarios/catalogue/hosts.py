"""What hosts do between a caller and a service, and results in another dress: waited out, or taken as they are."""

from scenarios.catalogue.happy import ADD
from scenarios.scenario import Expect, Scenario, failed, rule

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
    Scenario(
        name="name-is-not-found-for-a-moment",
        story="SAM3's name is not found twice: nobody was asked for a job, and it is submitted again.",
        theme=THEME,
        rules=(rule("sam3", "submit", "dns", calls="1-2"),),
        expect=Expect(attempts={"generate_mask": (0, 2, 6)}, calls={"sam3.poll": 1}),
    ),
    Scenario(
        name="name-is-not-found",
        story="The image manipulator's name is never found: unavailable after five attempts.",
        theme=THEME,
        rules=(rule("image_manipulator", "resize", "dns"),),
        expect=failed("IMAGE_MANIPULATOR_UNAVAILABLE", "RESIZING_IMAGE", attempts={"resize_image": (0, 1, 3, 7, 15)}),
    ),
    Scenario(
        name="name-is-not-found-while-a-job-runs",
        story="SAM3's name is not found for two polls: the job is polled on.",
        theme=THEME,
        rules=(rule("sam3", "poll", "dns", calls="1-2"),),
        expect=Expect(length_s=6, calls={"sam3.submit": 1, "sam3.poll": 3}),
    ),
    Scenario(
        name="names-of-a100s-are-not-found-for-a-moment",
        story="The names of both A100s are not found once, which says nothing of the servers: they are asked again.",
        theme=THEME,
        rules=tuple(rule(name, "health", "dns", calls="1") for name in ("a100", "a100_spare")),
        expect=Expect(attempts={"generate_images": (2, 4)}, calls={"a100.generate": 1}),
    ),
    Scenario(
        name="names-of-a100s-are-not-found",
        story="The names of both A100s are never found: an error after three attempts, and not offline at once.",
        theme=THEME,
        rules=tuple(rule(name, "health", "dns") for name in ("a100", "a100_spare")),
        expect=failed("A100_ERROR", "GENERATING_IMAGES", attempts={"generate_images": (2, 4, 8)}),
    ),
    Scenario(
        name="name-of-the-store-is-not-found-for-a-moment",
        story="The name of the store is not found twice.",
        theme=THEME,
        rules=(rule("blob", "get", "dns", calls="1-2"),),
        expect=Expect(attempts={"upload_to_azure": (0, 1, 3)}),
    ),
    Scenario(
        name="no-connection-comes-about-for-a-moment",
        story="Nothing comes back from SAM3's address twice: nobody was asked for a job, and it is submitted again.",
        theme=THEME,
        rules=(rule("sam3", "submit", "unreachable", calls="1-2"),),
        expect=Expect(attempts={"generate_mask": (0, 7, 16)}, calls={"sam3.poll": 1}),
    ),
    Scenario(
        name="no-connection-comes-about",
        story="Nothing ever comes back from the image manipulator's address: a time-out after five attempts.",
        theme=THEME,
        rules=(rule("image_manipulator", "resize", "unreachable"),),
        expect=failed("IMAGE_MANIPULATOR_TIMEOUT", "RESIZING_IMAGE", attempts={"resize_image": (0, 6, 13, 22, 35)}),
    ),
    Scenario(
        name="no-connection-comes-about-while-a-job-runs",
        story="Nothing comes back from SAM3's address for one poll: the job is polled on.",
        theme=THEME,
        rules=(rule("sam3", "poll", "unreachable", calls="1"),),
        expect=Expect(length_s=9, calls={"sam3.submit": 1, "sam3.poll": 2}),
    ),
    Scenario(
        name="no-connection-to-the-store-comes-about-for-a-moment",
        story="Nothing comes back from the store's address once.",
        theme=THEME,
        rules=(rule("blob", "get", "unreachable", calls="1"),),
        expect=Expect(attempts={"upload_to_azure": (0, 6)}),
    ),
    Scenario(
        name="host-redirects-a-long-call",
        story="The host answers 303 to itself, as Modal after 150 s: it is followed, and the GPU works once.",
        theme=THEME,
        rules=(rule("a100", "generate", "redirect"),),
        expect=Expect(attempts={"generate_images": (2,)}, calls={"a100.generate": 1}),
    ),
    *(
        Scenario(
            name=f"host-redirects-a-call-{hops}-times",
            story=f"{hops} answers 303 in a row, on the same host: {what}.",
            theme=THEME,
            rules=(rule("image_manipulator", "resize", "redirect", calls="1", hops=hops),),
            expect=Expect(attempts={"resize_image": attempts}),
        )
        for hops, attempts, what in (
            (20, (0,), "they are followed to the answer"),
            (21, (0, 1), "nobody follows for ever; the next attempt is answered"),
        )
    ),
    Scenario(
        name="host-redirects-a-submit",
        story="The host answers the submit with a 303 to itself: the job's id is fetched, and there is one job.",
        theme=THEME,
        rules=(rule("sam3", "submit", "redirect"),),
        expect=Expect(calls={"sam3.submit": 1}),
    ),
    Scenario(
        name="host-redirects-elsewhere",
        story="A 303 to another host is nobody's service: it is not followed, and the answer is a bad one.",
        theme=THEME,
        rules=(rule("sam3", "submit", "redirect", elsewhere="http://elsewhere.invalid"),),
        expect=failed("SAM3_BAD_ANSWER", "GENERATING_MASK", attempts={"generate_mask": (0, 2, 6)}),
    ),
    Scenario(
        name="host-takes-uploads-slowly",
        story="The service reads what it is sent after ten seconds: it is waited for.",
        theme=THEME,
        rules=(rule("image_manipulator", "resize", "slow_upload", seconds=10),),
        expect=Expect(attempts={"resize_image": (0,)}, length_s=12),
    ),
    Scenario(
        name="host-takes-uploads-too-slowly",
        story="The service reads what it is sent after half a minute: the attempt ends before, the next one is served.",
        theme=THEME,
        rules=(rule("image_manipulator", "resize", "slow_upload", calls="1", seconds=30),),
        expect=Expect(attempts={"resize_image": (0, 28)}),
    ),
    Scenario(
        name="host-sends-headers-slowly",
        story="The headers of an answer come in pieces, a second apart, within the deadline: it is taken.",
        theme=THEME,
        rules=(rule("image_manipulator", "resize", "slow_headers", bytes=1_000_000, pause=5),),
        expect=Expect(attempts={"resize_image": (0,)}, length_s=7),
    ),
    Scenario(
        name="host-sends-headers-too-slowly",
        story="The headers of an answer come byte by byte: the deadline for the whole call ends it.",
        theme=THEME,
        rules=(rule("image_manipulator", "resize", "slow_headers", calls="1", bytes=1, pause=5),),
        expect=Expect(attempts={"resize_image": (0, 28)}),
    ),
    Scenario(
        name="metrics-are-no-shares",
        story="Metrics once say more than all of it, which is no noise: the A100 is asked again.",
        theme=THEME,
        rules=(rule("a100", "generate", "float_noise", calls="1", by=1.5),),
        expect=Expect(attempts={"generate_images": (2, 4)}),
    ),
    Scenario(
        name="metrics-are-no-shares-by-half",
        story="Metrics once are off by a half, which makes more than all of it out of most: the A100 is asked again.",
        theme=THEME,
        rules=(rule("a100", "generate", "float_noise", calls="1", by=0.5),),
        expect=Expect(attempts={"generate_images": (2, 4)}),
    ),
    *(
        Scenario(
            name=f"dress-{name}",
            story=f"{story}: it is taken as it is.",
            theme=THEME,
            rules=(rule(service, operation, kind, **parameters),),
            expect=Expect(calls={f"{service}.{operation}": 1}),
        )
        for name, service, operation, kind, parameters, story in (
            ("result-named", "image_manipulator", "resize", "result_named", {}, "A result under a name of its own"),
            ("result-format", "image_manipulator", "resize", "result_format", {}, "A PNG under the name of one"),
            ("mask-format", "sam3", "submit", "result_format", {}, "A mask as JPEG under the name of one"),
            ("mask-values", "sam3", "submit", "mask_values", {}, "A mask of zeros and ones"),
            ("float-noise", "a100", "generate", "float_noise", {"by": 1e-7}, "Metrics with the noise of floats"),
            ("base64-data-url", "a100", "generate", "base64_dress", {}, "Pictures as data URLs"),
            ("base64-in-lines", "a100", "generate", "base64_dress", {"dress": "lines"}, "Pictures in lines of base64"),
        )
    ),
    Scenario(
        name="dress-mask-alpha-then-painted",
        story="A mask that says by its alpha what is foreground is written anew, and painted on as such.",
        theme=THEME,
        strokes=(ADD,),
        rules=(rule("sam3", "submit", "mask_values", values="alpha"),),
        expect=Expect(calls={"sam3.submit": 1, "a100.refine_mask": 1}),
    ),
    Scenario(
        name="dress-mask-named-and-valued",
        story="A mask of zeros and ones under a name of the service's own is written anew under the try-on's name.",
        theme=THEME,
        rules=(rule("sam3", "submit", "result_named"), rule("sam3", "submit", "mask_values")),
        expect=Expect(calls={"sam3.submit": 1}),
    ),
    Scenario(
        name="dress-painted-mask-values",
        story="A painted mask of zeros and ones, in 16 bits, is written anew, and the pictures are made with that one.",
        theme=THEME,
        strokes=(ADD,),
        rules=(rule("a100", "refine_mask", "mask_values", values="16-bit-0-1"),),
        expect=Expect(calls={"a100.refine_mask": 1, "a100.generate": 1}),
    ),
)
