"""The worker leaves: it dies without a word, or drains; a new one comes, and no work that was paid is paid again."""

from scenarios.catalogue.happy import ADD
from scenarios.scenario import Departure, Expect, Scenario, failed, rule

THEME = "workers"
SLOW_JOB = rule("sam3", "submit", "job_slow", calls="1", seconds=100)

SCENARIOS = (
    Scenario(
        name="a-worker-dies-in-every-attempt",
        story="Each attempt at the mask loses its worker: the server misses their heartbeats, and the step has failed.",
        theme=THEME,
        rules=(SLOW_JOB,),
        departures=(Departure(10, 11), Departure(30, 31), Departure(60, 61)),
        expect=failed(
            "STEP_TIMEOUT", "GENERATING_MASK", attempts={"generate_mask": (0, 21, 42.5)}, calls={"sam3.submit": 1}
        ),
    ),
    Scenario(
        name="a-worker-dies-while-a-job-runs",
        story="The worker dies while a mask's job runs: the next attempt polls the same job to its end.",
        theme=THEME,
        rules=(SLOW_JOB,),
        departures=(Departure(10, 11),),
        expect=Expect(attempts={"generate_mask": (0, 21)}, calls={"sam3.submit": 1}),
    ),
    Scenario(
        name="a-worker-dies-before-its-job-is-known",
        story="A worker dies before its word of a mask's job has gone out: the next attempt asks for one again.",
        theme=THEME,
        rules=(SLOW_JOB, rule("sam3", "submit", "delay", calls="1", seconds=1.8)),
        departures=(Departure(2.1, 3.1),),
        expect=Expect(attempts={"generate_mask": (0, 13.5)}, calls={"sam3.submit": 2}),
    ),
    Scenario(
        name="a-worker-dies-once-its-job-is-known",
        story="A worker dies a second after a mask's job was made: its word has gone out, and the job is polled.",
        theme=THEME,
        rules=(SLOW_JOB, rule("sam3", "submit", "delay", calls="1", seconds=1.8)),
        departures=(Departure(2.8, 3.8),),
        expect=Expect(attempts={"generate_mask": (0, 14.5)}, calls={"sam3.submit": 1}),
    ),
    Scenario(
        name="a-worker-that-has-time-to-drain",
        story="A worker that drains for a minute finishes the pictures that it waits for: nothing is asked twice.",
        theme=THEME,
        rules=(rule("a100", "generate", "delay", seconds=50),),
        departures=(Departure(10, 11, 60),),
        expect=Expect(attempts={"generate_images": (2,)}, calls={"a100.generate": 1}),
    ),
    Scenario(
        name="a-worker-that-has-no-time-to-drain",
        story="A worker is cut off while it polls a job: it says so, and the next one goes on with the job.",
        theme=THEME,
        rules=(SLOW_JOB,),
        departures=(Departure(10, 12, 0),),
        expect=Expect(attempts={"generate_mask": (0, 12)}, calls={"sam3.submit": 1}),
    ),
    Scenario(
        name="no-worker-for-a-while",
        story="For two minutes there is no worker, strokes and all: what was accepted waits, and is completed.",
        theme=THEME,
        photo="far",
        strokes=(ADD,),
        departures=(Departure(1, 121, 0),),
        expect=Expect(background_removed=True, calls={"birefnet.submit": 1, "sam3.submit": 1, "a100.generate": 1}),
    ),
    Scenario(
        name="a-worker-dies-while-the-a100-paints",
        story="The worker dies while the A100 makes the pictures: nobody can ask for them later.",
        theme=THEME,
        rules=(rule("a100", "generate", "delay", calls="1", seconds=60),),
        departures=(Departure(10, 11),),
        expect=Expect(calls={"a100.generate": 2}),
    ),
)
