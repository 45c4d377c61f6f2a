"""What happens to jobs: slow, stuck, failed, lost, late, foreign. Both services share one client; most run on one."""

from scenarios.scenario import Expect, Scenario, failed, rule

THEME = "jobs"

SCENARIOS = (
    Scenario(
        name="job-slow",
        story="A mask that takes a minute is polled every 2 s until it is there.",
        theme=THEME,
        rules=(rule("sam3", "submit", "job_slow", seconds=60),),
        expect=Expect(
            length_s=60,
            calls={"sam3.submit": 1, "sam3.poll": 30},
            call_times={"sam3.poll": tuple(float(2 * n) for n in range(1, 31))},
        ),
    ),
    Scenario(
        name="job-done-at-the-last-moment",
        story="A job that is done exactly at its limit is seen by the last poll, at 120 s.",
        theme=THEME,
        rules=(rule("sam3", "submit", "job_slow", seconds=120),),
        expect=Expect(length_s=120, calls={"sam3.poll": 60}),
    ),
    *(
        Scenario(
            name=f"{service}-job-stuck",
            story=f"{service}: a job that never ends is given up after 120 s, and no second one is asked of the GPU.",
            theme=THEME,
            photo=photo,
            rules=(rule(service, "submit", "job_stuck"),),
            expect=failed(
                code,
                step,
                length_s=120,
                attempts={activity: (0,)},
                calls={f"{service}.submit": 1, f"{service}.poll": 60},
            ),
        )
        for service, photo, code, step, activity in (
            ("birefnet", "far", "BIREFNET_TIMEOUT", "REMOVING_BACKGROUND", "remove_background"),
            ("sam3", "near", "SAM3_TIMEOUT", "GENERATING_MASK", "generate_mask"),
        )
    ),
    *(
        Scenario(
            name=f"{service}-job-failed-once",
            story=f"{service}: a job that fails is dropped, and the next attempt submits a new one.",
            theme=THEME,
            photo=photo,
            live=True,
            rules=(rule(service, "submit", "job_failed", calls="1"),),
            expect=Expect(attempts={activity: (0, 4)}, calls={f"{service}.submit": 2, f"{service}.poll": 2}),
        )
        for service, photo, activity in (
            ("birefnet", "far", "remove_background"),
            ("sam3", "near", "generate_mask"),
        )
    ),
    Scenario(
        name="birefnet-job-fails-every-time",
        story="Three jobs fail one after the other.",
        theme=THEME,
        photo="far",
        rules=(rule("birefnet", "submit", "job_failed"),),
        expect=failed(
            "BIREFNET_JOB_FAILED",
            "REMOVING_BACKGROUND",
            attempts={"remove_background": (0, 4, 10)},
            calls={"birefnet.submit": 3, "birefnet.poll": 3, "sam3": 0},
        ),
    ),
    Scenario(
        name="sam3-job-fails-every-time",
        story="Three masks fail one after the other, and the A100 is never asked.",
        theme=THEME,
        rules=(rule("sam3", "submit", "job_failed"),),
        live=True,
        expect=failed(
            "SAM3_JOB_FAILED",
            "GENERATING_MASK",
            attempts={"generate_mask": (0, 4, 10)},
            calls={"sam3.submit": 3, "a100": 0},
        ),
    ),
    Scenario(
        name="job-lost",
        story="A service forgets its job: when three polls in a row know nothing of it, a new one is submitted.",
        theme=THEME,
        rules=(rule("sam3", "submit", "job_lost", calls="1"),),
        # Unknown at 2, 4, 6 and 8 s it may still come; at 10, 12 and 14 s it counts (app.pipeline.policies.JOB_GRACE).
        expect=Expect(attempts={"generate_mask": (0, 16)}, calls={"sam3.submit": 2, "sam3.poll": 8}),
    ),
    Scenario(
        name="job-lost-every-time",
        story="A service that forgets every job has failed them.",
        theme=THEME,
        photo="far",
        rules=(rule("birefnet", "submit", "job_lost"),),
        expect=failed(
            "BIREFNET_JOB_FAILED",
            "REMOVING_BACKGROUND",
            attempts={"remove_background": (0, 16, 34)},
            calls={"birefnet.submit": 3},
            message="lost",
        ),
    ),
    Scenario(
        name="job-late",
        story="A job that is unknown for 5 s after its submit is not submitted again.",
        theme=THEME,
        rules=(rule("sam3", "submit", "job_late", seconds=5),),
        expect=Expect(length_s=6, attempts={"generate_mask": (0,)}, calls={"sam3.submit": 1, "sam3.poll": 3}),
    ),
    Scenario(
        name="job-without-result-once",
        story="A completed job without a result is dropped and done again.",
        theme=THEME,
        rules=(rule("sam3", "submit", "job_no_result", calls="1"),),
        expect=Expect(attempts={"generate_mask": (0, 4)}, calls={"sam3.submit": 2}),
    ),
    Scenario(
        name="job-without-result-every-time",
        story="Jobs that never have a result break the contract.",
        theme=THEME,
        photo="far",
        rules=(rule("birefnet", "submit", "job_no_result"),),
        expect=failed("BIREFNET_BAD_ANSWER", "REMOVING_BACKGROUND", calls={"birefnet.submit": 3}),
    ),
    Scenario(
        name="job-with-anothers-result-once",
        story="A job that answers with another user's mask is done again; the foreign mask is not even read.",
        theme=THEME,
        rules=(rule("sam3", "submit", "job_foreign", calls="1"),),
        expect=Expect(attempts={"generate_mask": (0, 4)}, calls={"sam3.submit": 2}),
    ),
    Scenario(
        name="job-with-anothers-result-every-time",
        story="No user ever gets another user's cut-out.",
        theme=THEME,
        photo="far",
        rules=(rule("birefnet", "submit", "job_foreign"),),
        expect=failed("BIREFNET_BAD_ANSWER", "REMOVING_BACKGROUND", message="another try-on"),
    ),
    Scenario(
        name="job-unknown-to-one-poll",
        story="One 404 in the middle of a job of half a minute is a poll that erred: the job is polled on.",
        theme=THEME,
        rules=(
            rule("sam3", "submit", "job_slow", seconds=30),
            rule("sam3", "poll", "status", calls="7", status=404),
        ),
        expect=Expect(length_s=30, attempts={"generate_mask": (0,)}, calls={"sam3.submit": 1, "sam3.poll": 15}),
    ),
    Scenario(
        name="job-unknown-to-two-polls-in-a-row",
        story="Two in a row are not enough, nor are three with another answer among them.",
        theme=THEME,
        photo="far",
        rules=(
            rule("birefnet", "submit", "job_slow", seconds=30),
            rule("birefnet", "poll", "status", calls="7-8,10-11", status=404),
        ),
        expect=Expect(length_s=32, attempts={"remove_background": (0,)}, calls={"birefnet.submit": 1}),
    ),
    Scenario(
        name="job-unknown-before-and-after-a-poll-that-failed",
        story="Two that know nothing of it, one that fails, and two more are no three in a row: the job is polled on.",
        theme=THEME,
        rules=(
            rule("sam3", "submit", "job_slow", seconds=30),
            rule("sam3", "poll", "status", calls="7-8,10-11", status=404),
            rule("sam3", "poll", "status", calls="9", status=503),
        ),
        expect=Expect(length_s=30, attempts={"generate_mask": (0,)}, calls={"sam3.submit": 1}),
    ),
    Scenario(
        name="job-with-a-result-under-another-word",
        story="A job that has a result is completed, whatever word stands for it; the result is checked as ever.",
        theme=THEME,
        rules=(rule("sam3", "submit", "job_unknown_status", status="succeeded"),),
        expect=Expect(attempts={"generate_mask": (0,)}, calls={"sam3.submit": 1, "sam3.poll": 1}),
    ),
    Scenario(
        name="job-queued-for-a-while",
        story="`queued` is no specified word, and without a result it means that the job goes on.",
        theme=THEME,
        rules=(rule("sam3", "poll", "status", calls="1-20", status=200, body={"status": "queued"}),),
        expect=Expect(length_s=42, attempts={"generate_mask": (0,)}, calls={"sam3.submit": 1, "sam3.poll": 21}),
    ),
    Scenario(
        name="job-queued-for-ever",
        story="At the job's limit the try-on fails by the word that nobody specified; no other job is submitted.",
        theme=THEME,
        photo="far",
        rules=(rule("birefnet", "poll", "status", status=200, body={"status": "queued"}),),
        expect=failed(
            "BIREFNET_BAD_ANSWER",
            "REMOVING_BACKGROUND",
            length_s=120,
            calls={"birefnet.submit": 1, "birefnet.poll": 60},
            message='"queued"',
        ),
    ),
    Scenario(
        name="job-not-ready-by-202",
        story="A host that answers 202 without a state until the job is done says in its way that it goes on.",
        theme=THEME,
        rules=(rule("sam3", "poll", "status", calls="1-3", status=202, body={}),),
        expect=Expect(length_s=8, attempts={"generate_mask": (0,)}, calls={"sam3.submit": 1, "sam3.poll": 4}),
    ),
    Scenario(
        name="job-flaps-back-to-processing",
        story="A job that says processing, then completed, is done when it first says so.",
        theme=THEME,
        rules=(rule("sam3", "submit", "job_flapping", period=2, status="processing"),),
        expect=Expect(length_s=4, calls={"sam3.submit": 1, "sam3.poll": 2}),
    ),
    Scenario(
        name="job-flaps-to-failed",
        story="A job that says failed counts as failed, whatever it would have said later.",
        theme=THEME,
        rules=(rule("sam3", "submit", "job_flapping", calls="1", period=2, status="failed"),),
        expect=Expect(attempts={"generate_mask": (0, 4)}, calls={"sam3.submit": 2}),
    ),
    Scenario(
        name="poll-fails-in-the-middle-of-a-job",
        story="Polls fail while the job goes on: that costs neither an attempt nor the job.",
        theme=THEME,
        rules=(
            rule("sam3", "submit", "job_slow", seconds=20),
            rule("sam3", "poll", "status", calls="2-4,6", status=502),
        ),
        expect=Expect(length_s=20, attempts={"generate_mask": (0,)}, calls={"sam3.submit": 1, "sam3.poll": 10}),
    ),
    Scenario(
        name="poll-is-asked-to-wait",
        story="A poll that is answered 429 with a Retry-After: the next one comes then.",
        theme=THEME,
        rules=(
            rule("sam3", "submit", "job_slow", seconds=10),
            rule("sam3", "poll", "status", calls="1", status=429, retry_after=20),
        ),
        expect=Expect(length_s=22, attempts={"generate_mask": (0,)}, calls={"sam3.submit": 1, "sam3.poll": 2}),
    ),
    Scenario(
        name="poll-is-asked-to-wait-past-the-limit",
        story="A late poll is answered 429 with a Retry-After beyond the job's limit: the last one comes at the limit.",
        theme=THEME,
        rules=(
            rule("sam3", "submit", "job_stuck"),
            rule("sam3", "poll", "status", calls="50", status=429, retry_after=60),
        ),
        expect=failed(
            "SAM3_TIMEOUT", "GENERATING_MASK", length_s=120, attempts={"generate_mask": (0,)}, calls={"sam3.poll": 51}
        ),
    ),
    Scenario(
        name="poll-is-asked-to-wait-until-the-limit",
        story="The same of a job that is done by then: its result is taken at the last poll.",
        theme=THEME,
        rules=(
            rule("sam3", "submit", "job_slow", seconds=115),
            rule("sam3", "poll", "status", calls="50", status=503, retry_after=3600),
        ),
        expect=Expect(length_s=120, attempts={"generate_mask": (0,)}, calls={"sam3.submit": 1, "sam3.poll": 51}),
    ),
    Scenario(
        name="job-limit-counts-from-the-submit",
        story="Failed polls do not give a stuck job more time: the limit counts from its submit.",
        theme=THEME,
        rules=(
            rule("sam3", "submit", "job_stuck"),
            rule("sam3", "poll", "status", calls="50", status=503),
        ),
        expect=failed("SAM3_TIMEOUT", "GENERATING_MASK", length_s=120, calls={"sam3.submit": 1}),
    ),
    Scenario(
        name="submit-to-a-cold-service",
        story="A GPU that warms up answers the submit after 90 s: it is waited for, and asked for one job alone.",
        theme=THEME,
        photo="far",
        rules=(rule("birefnet", "submit", "delay", seconds=90),),
        expect=Expect(length_s=94, attempts={"remove_background": (0,)}, calls={"birefnet.submit": 1}),
    ),
    Scenario(
        name="submit-to-a-cold-service-and-a-slow-job",
        story="What the submit took is gone from the job's 120 s.",
        theme=THEME,
        rules=(rule("sam3", "submit", "delay", seconds=110), rule("sam3", "poll", "job_stuck")),
        expect=failed(
            "SAM3_TIMEOUT", "GENERATING_MASK", length_s=120, attempts={"generate_mask": (0,)}, calls={"sam3.submit": 1}
        ),
    ),
    Scenario(
        name="host-has-no-such-app-for-a-while",
        story="A host answers for an app that is not up: neither a submit nor a poll is the photo's fault.",
        theme=THEME,
        rules=(
            rule("sam3", "submit", "host_gone", calls="1"),
            rule("sam3", "poll", "host_gone", calls="1-9"),
        ),
        expect=Expect(attempts={"generate_mask": (0, 2)}, calls={"sam3.submit": 2, "sam3.poll": 10}),
    ),
    Scenario(
        name="host-has-no-such-app",
        story="An app that is stopped for good is unavailable, and the message says so.",
        theme=THEME,
        photo="far",
        rules=(rule("birefnet", "*", "host_gone"),),
        expect=failed(
            "BIREFNET_UNAVAILABLE",
            "REMOVING_BACKGROUND",
            attempts={"remove_background": (0, 2, 6)},
            calls={"birefnet.submit": 3},
            message="no such app",
        ),
    ),
)
