"""The user cancels: at each of the seven steps, in a backoff, while a call hangs, while a job is polled."""

from scenarios.catalogue.happy import ADD
from scenarios.scenario import Scenario, cancelled, rule

THEME = "cancellation"

SCENARIOS = (
    Scenario(
        name="cancel-while-uploading",
        story="Cancelled while the photo is read from Azure: no service was asked, none is.",
        theme=THEME,
        rules=(rule("blob", "get", "delay", seconds=10),),
        cancel_at=5,
        expect=cancelled(length_s=5, calls={"image_manipulator": 0}),
    ),
    Scenario(
        name="cancel-while-resizing",
        story="Cancelled while the photo is resized.",
        theme=THEME,
        rules=(rule("image_manipulator", "resize", "delay", seconds=10),),
        cancel_at=5,
        expect=cancelled(length_s=5, calls={"image_manipulator.resize": 1, "image_manipulator.zoom_check": 0}),
    ),
    Scenario(
        name="cancel-while-checking-zoom",
        story="Cancelled while the zoom is checked.",
        theme=THEME,
        rules=(rule("image_manipulator", "zoom_check", "delay", seconds=10),),
        cancel_at=5,
        expect=cancelled(length_s=5, calls={"sam3": 0}),
    ),
    Scenario(
        name="cancel-while-the-background-is-removed",
        story="Cancelled while a job of a minute is polled: no poll after that.",
        theme=THEME,
        photo="far",
        rules=(rule("birefnet", "submit", "job_slow", seconds=60),),
        cancel_at=31,
        expect=cancelled(length_s=31, calls={"birefnet.submit": 1, "birefnet.poll": 15, "sam3": 0}),
    ),
    Scenario(
        name="cancel-while-the-mask-is-made",
        story="Cancelled while the mask's job is polled.",
        theme=THEME,
        rules=(rule("sam3", "submit", "job_slow", seconds=60),),
        cancel_at=45,
        expect=cancelled(length_s=45, calls={"sam3.submit": 1, "sam3.poll": 22, "a100": 0}),
    ),
    Scenario(
        name="cancel-while-painting",
        story="Cancelled while the A100 paints the mask.",
        theme=THEME,
        strokes=(ADD,),
        rules=(rule("a100", "refine_mask", "delay", seconds=30),),
        cancel_at=20,
        expect=cancelled(length_s=20, calls={"a100.refine_mask": 1, "a100.generate": 0}),
    ),
    Scenario(
        name="cancel-while-generating",
        story="Cancelled while the A100 makes the pictures.",
        theme=THEME,
        rules=(rule("a100", "generate", "delay", seconds=100),),
        cancel_at=45,
        expect=cancelled(length_s=45, calls={"a100.generate": 1}),
    ),
    Scenario(
        name="cancel-in-a-backoff",
        story="Cancelled between two attempts: the next one never calls.",
        theme=THEME,
        rules=(rule("image_manipulator", "resize", "status", status=503),),
        cancel_at=5,
        expect=cancelled(length_s=5, calls={"image_manipulator.resize": 3}),
    ),
    Scenario(
        name="cancel-while-a-call-hangs",
        story="Cancelled while the second generate hangs, long before its deadline.",
        theme=THEME,
        rules=(
            rule("a100", "generate", "status", calls="1", status=500),
            rule("a100", "generate", "hang", calls="2-"),
        ),
        cancel_at=60,
        expect=cancelled(length_s=60, calls={"a100.generate": 2}),
    ),
    Scenario(
        name="cancel-while-a-submit-hangs",
        story="Cancelled while the submit of a job hangs: nothing is submitted afterwards.",
        theme=THEME,
        rules=(rule("sam3", "submit", "hang"),),
        cancel_at=10,
        expect=cancelled(length_s=10, calls={"sam3.submit": 1, "sam3.poll": 0}),
    ),
)
