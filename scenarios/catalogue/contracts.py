"""Answers that are JSON, but not the JSON that was agreed: a field missing, null, of another type, or one too many."""

from scenarios.catalogue.happy import ADD
from scenarios.scenario import Expect, Scenario, failed, rule

THEME = "contract"

BROKEN = (
    ("image_manipulator", "resize", "missing_field", "new_width", "RESIZING_IMAGE", "IMAGE_MANIPULATOR", 5),
    ("image_manipulator", "resize", "wrong_type", "resized_uri", "RESIZING_IMAGE", "IMAGE_MANIPULATOR", 5),
    ("image_manipulator", "resize", "null_field", "original_height", "RESIZING_IMAGE", "IMAGE_MANIPULATOR", 5),
    ("image_manipulator", "zoom_check", "wrong_type", "recommend_bg_removal", "CHECKING_ZOOM", "IMAGE_MANIPULATOR", 5),
    ("image_manipulator", "zoom_check", "missing_field", "zoom_level", "CHECKING_ZOOM", "IMAGE_MANIPULATOR", 5),
    ("birefnet", "submit", "missing_field", "job_id", "REMOVING_BACKGROUND", "BIREFNET", 3),
    # A job may be better said by the next poll: it is asked for until its time is over.
    ("birefnet", "poll", "wrong_type", "result_uri", "REMOVING_BACKGROUND", "BIREFNET", 60),
    ("sam3", "submit", "null_field", "job_id", "GENERATING_MASK", "SAM3", 3),
    ("sam3", "poll", "missing_field", "status", "GENERATING_MASK", "SAM3", 60),
    ("a100", "refine_mask", "wrong_type", "refined_mask_uri", "REFINING_MASK", "A100", 1),
    ("a100", "generate", "null_field", "result_base64", "GENERATING_IMAGES", "A100", 3),
    # Another shape than agreed comes again, and would cost the GPU again. A null may be a model that failed this time.
    ("a100", "generate", "missing_field", "metrics", "GENERATING_IMAGES", "A100", 1),
    ("a100", "generate", "wrong_type", "result_gemini_base64", "GENERATING_IMAGES", "A100", 1),
)

SCENARIOS = (
    *(
        Scenario(
            name=f"{service}-{operation}-{kind.removesuffix('_field')}-{field}".replace("_", "-"),
            story=f"{service} answers {operation} with {field} {kind.replace('_', ' ')}: the contract is broken.",
            theme=THEME,
            photo="far",
            strokes=(ADD,),
            rules=(rule(service, operation, kind, field=field),),
            expect=failed(f"{code}_BAD_ANSWER", step, calls={f"{service}.{operation}": attempts}, message=field),
        )
        for service, operation, kind, field, step, code, attempts in BROKEN
    ),
    *(
        Scenario(
            name=f"image-manipulator-{operation}-{to}-{field}".replace("_", "-"),
            story=f"image_manipulator once answers {operation} with {field} {words}: another type, and asked again.",
            theme=THEME,
            rules=(rule("image_manipulator", operation, "wrong_type", calls="1", field=field, to=to),),
            expect=Expect(attempts={activity: (0, 1)}),
        )
        for operation, field, to, words, activity in (
            ("resize", "new_width", "quoted", "in quotes", "resize_image"),
            ("zoom_check", "recommend_bg_removal", "quoted", "in quotes", "check_zoom"),
            ("zoom_check", "zoom_level", "nan", "that is no number", "check_zoom"),
        )
    ),
    Scenario(
        name="image-manipulator-resize-a-list",
        story="image_manipulator answers resize with a list in place of an object: the contract is broken.",
        theme=THEME,
        rules=(rule("image_manipulator", "resize", "status", status=200, body=[]),),
        expect=failed("IMAGE_MANIPULATOR_BAD_ANSWER", "RESIZING_IMAGE", message="at the top"),
    ),
    Scenario(
        name="a100-generate-without-a-field-that-may-be-null",
        story="A field that may be null and is left out is null: Gemini gave nothing.",
        theme=THEME,
        rules=(rule("a100", "generate", "missing_field", field="result_gemini_base64"),),
        expect=Expect(calls={"a100.generate": 1}),
    ),
    Scenario(
        name="null-mask-uri-is-no-result",
        story="A completed mask job whose mask_uri is null has no result: it is dropped, and three are tried.",
        theme=THEME,
        rules=(rule("sam3", "poll", "null_field", field="mask_uri"),),
        expect=failed("SAM3_BAD_ANSWER", "GENERATING_MASK", calls={"sam3.submit": 3}, message="mask_uri"),
    ),
    *(
        Scenario(
            name=f"{service}-{operation}-extra-field".replace("_", "-"),
            story=f"A field more in the answer to {operation} breaks nothing: services may grow.",
            theme=THEME,
            rules=(rule(service, operation, "extra_field"),),
            expect=Expect(calls={f"{service}.{operation}": 1}),
        )
        for service, operation in (("sam3", "poll"), ("a100", "generate"))
    ),
)
