"""Lies about pictures, each inside a valid 200: those that are noticed, and the few that are let pass."""

from collections.abc import Iterator
from typing import Any

from scenarios.catalogue.happy import ADD, REMOVE
from scenarios.photos import PHOTOS
from scenarios.scenario import Expect, Scenario, failed, rule

THEME = "pictures"
OWN, OTHER = "azure://jewelry-uploads", "azure://elsewhere"
"""The container of the stories, and another."""

NECK = PHOTOS["far"].neck
CORNERS = ((0.02, 0.02), (0.98, 0.02), (0.04, 0.04), (0.96, 0.04))
"""Places without the person."""


def _stroke(*points: tuple[float, float]) -> dict[str, Any]:
    return {"points": [{"x": x, "y": y} for x, y in points], "mode": "add", "size": 12}


LIES = {
    "picture_truncated": "is cut in the middle",
    "picture_empty": "is a file without a byte",
    "picture_garbage": "is a page of HTML",
    "cutout_empty": "has nothing left in it",
    "cutout_full": "has nothing removed",
    "picture_size": "is a pixel larger than it should be",
    "picture_no_alpha": "has no alpha",
    "picture_unchanged": "is the one that it was given",
    "picture_format": "is of another format than its name says",
    "mask_empty": "marks nothing",
    "mask_full": "marks everything",
    "mask_inverted": "is inside out",
    "mask_foreign": "is another user's",
    "source_named": "goes by the name of the one that it was given",
    "base64_broken": "is broken base64",
}

NOTICED = (
    ("image_manipulator", "resize", "IMAGE_MANIPULATOR", "RESIZING_IMAGE", 5, "near"),
    ("birefnet", "submit", "BIREFNET", "REMOVING_BACKGROUND", 3, "far"),
    ("sam3", "submit", "SAM3", "GENERATING_MASK", 3, "near"),
    ("a100", "generate", "A100", "GENERATING_IMAGES", 3, "near"),
)
KINDS = {
    "image_manipulator": (
        "picture_truncated",
        "picture_empty",
        "picture_garbage",
        "picture_size",
        "picture_format",
        "source_named",
    ),
    "birefnet": (
        "picture_truncated",
        "picture_size",
        "picture_no_alpha",
        "cutout_empty",
        "cutout_full",
        "picture_unchanged",
        "picture_format",
        "source_named",
    ),
    "sam3": (
        "picture_truncated",
        "picture_empty",
        "picture_size",
        "mask_empty",
        "mask_full",
        "mask_inverted",
        "mask_foreign",
        "picture_unchanged",
    ),
    "a100": ("picture_truncated", "picture_size", "picture_unchanged", "picture_format", "base64_broken"),
}


def _noticed() -> Iterator[Scenario]:
    for service, operation, code, step, attempts, photo in NOTICED:
        for kind in KINDS[service]:
            yield Scenario(
                name=f"{service}-{kind}".replace("_", "-"),
                story=f"The picture that {service} makes {LIES[kind]}: it is noticed, and tried again to the end.",
                theme=THEME,
                photo=photo,
                rules=(rule(service, operation, kind),),
                expect=failed(f"{code}_BAD_ANSWER", step, calls={f"{service}.{operation}": attempts}),
            )


SCENARIOS = (
    *_noticed(),
    Scenario(
        name="large-photo-not-resized",
        story="A resize that gives back the large picture under the small one's numbers is noticed.",
        theme=THEME,
        photo="large",
        rules=(rule("image_manipulator", "resize", "picture_unchanged"),),
        expect=failed("IMAGE_MANIPULATOR_BAD_ANSWER", "RESIZING_IMAGE", message="instead of 1152x1536"),
    ),
    Scenario(
        name="bad-cut-out-once",
        story="One bad cut-out costs one more job, and the user notices nothing.",
        theme=THEME,
        photo="far",
        rules=(rule("birefnet", "submit", "picture_no_alpha", calls="1"),),
        live=True,
        expect=Expect(attempts={"remove_background": (0, 4)}, calls={"birefnet.submit": 2}),
    ),
    Scenario(
        name="bad-result-once",
        story="One broken picture out of the A100 costs one more call.",
        theme=THEME,
        rules=(rule("a100", "generate", "picture_truncated", calls="1"),),
        expect=Expect(attempts={"generate_images": (2, 4)}, calls={"a100.generate": 2}),
    ),
    *(
        Scenario(
            name=f"{service}-picture-without-its-end".replace("_", "-"),
            story=f"A JPEG of {service} has zeros for the marker at its end: it may be half a picture, and is noticed.",
            theme=THEME,
            rules=(rule(service, operation, "picture_truncated", calls="1", at="end"),),
            expect=Expect(calls={f"{service}.{operation}": 2}),
        )
        for service, operation in (("image_manipulator", "resize"), ("a100", "generate"))
    ),
    Scenario(
        name="a-cut-out-and-a-mask-without-their-ends",
        story="Two PNGs have zeros for the marker at their end: all of their pixels are there, and they are taken.",
        theme=THEME,
        photo="far",
        rules=(
            rule("birefnet", "submit", "picture_truncated", at="end"),
            rule("sam3", "submit", "picture_truncated", at="end"),
        ),
        expect=Expect(calls={"birefnet.submit": 1, "sam3.submit": 1}, background_removed=True),
    ),
    *(
        Scenario(
            name=f"painted-{kind}".replace("_", "-"),
            story=f"The mask that comes back from painting {LIES[kind]}: it is noticed.",
            theme=THEME,
            strokes=strokes,
            rules=(rule("a100", "refine_mask", kind),),
            expect=failed("A100_BAD_ANSWER", "REFINING_MASK", calls={"a100.refine_mask": 3, "a100.generate": 0}),
        )
        for kind, strokes in (
            ("picture_truncated", (ADD,)),
            ("picture_size", (ADD,)),
            ("mask_empty", (ADD,)),
            ("mask_full", (REMOVE,)),
            ("mask_inverted", (ADD,)),
            ("mask_foreign", (ADD,)),
        )
    ),
    *(
        Scenario(
            name=f"resize-says-another-{field}-by-{by}".replace("_", "-"),
            story=f"The resize once says a {field} that is off by {by}, and the picture is right: noticed.",
            theme=THEME,
            rules=(rule("image_manipulator", "resize", "wrong_number", calls="1", field=field, by=by),),
            expect=Expect(attempts={"resize_image": (0, 1)}),
        )
        for field in ("original_width", "original_height", "new_width", "new_height")
        for by in (1, 2)
    ),
    *(
        Scenario(
            name=f"{service}-names-a-result-{where}".replace("_", "-"),
            story=f"{service} once names a result {where.replace('-', ' ')}: it is not read, the work is done again.",
            theme=THEME,
            photo="far",
            rules=(rule(service, operation, "wrong_value", calls="1", field=field, value=uri),),
            expect=Expect(attempts=attempts),
        )
        for service, operation, field, where, uri, attempts in (
            ("sam3", "poll", "mask_uri", "in-another-container", f"{OTHER}/mask.png", {"generate_mask": (2, 6)}),
            (
                "birefnet",
                "poll",
                "result_uri",
                "on-the-web",
                "https://example.com/a.png",
                {"remove_background": (0, 4)},
            ),
            ("image_manipulator", "resize", "resized_uri", "with-no-name", f"{OWN}/", {"resize_image": (0, 1)}),
            ("image_manipulator", "resize", "resized_uri", "with-dots", f"{OWN}/a/../b.jpg", {"resize_image": (0, 1)}),
            (
                "image_manipulator",
                "resize",
                "resized_uri",
                "with-a-query",
                f"{OWN}/b.jpg?a=b",
                {"resize_image": (0, 1)},
            ),
        )
    ),
    Scenario(
        name="a-mask-of-seventeen-megabytes",
        story="The file of a mask is once larger than any that is read: SAM3's bad answer, and another is made.",
        theme=THEME,
        rules=(rule("sam3", "submit", "picture_heavy", calls="1", size=16 * 1024 * 1024 + 1),),
        expect=Expect(attempts={"generate_mask": (0, 4)}, calls={"sam3.submit": 2}),
    ),
    *(
        Scenario(
            name=f"cut-out-in-{mode}",
            story=f"The cut-out says the same in {mode}: it is taken as it is.",
            theme=THEME,
            photo="far",
            rules=(rule("birefnet", "submit", "cutout_mode", mode=mode),),
            expect=Expect(calls={"birefnet.submit": 1, "sam3.submit": 1}),
        )
        for mode in ("palette", "grey")
    ),
    *(
        Scenario(
            name=f"a-{what}-that-is-{'a-bomb' if how == 'bomb' else how}",
            story=f"Of a result the {what.replace('-', ' ')} is {words}: it is left out, not asked for again.",
            theme=THEME,
            rules=(rule("a100", "generate", "result_broken", field=field, how=how),),
            expect=Expect(calls={"a100.generate": 1}, gemini=what != "gemini-picture"),
        )
        for what, field, how, words in (
            ("gemini-picture", "result_gemini_base64", "cut", "cut in the middle"),
            ("fidelity-picture", "fidelity_viz_base64", "html", "a page of HTML"),
            ("gemini-fidelity-picture", "fidelity_viz_gemini_base64", "base64", "no base64"),
            ("fidelity-picture", "fidelity_viz_base64", "cut", "cut in the middle"),
            ("fidelity-picture", "fidelity_viz_base64", "bomb", "of twelve million pixels"),
        )
    ),
    Scenario(
        name="a-mask-in-a-scale-of-its-own",
        story="A mask of ones and twos: nobody knows which are foreground. Final at once, it would be made so again.",
        theme=THEME,
        rules=(rule("sam3", "submit", "mask_values", values="1-2"),),
        expect=failed(
            "SAM3_BAD_ANSWER",
            "GENERATING_MASK",
            attempts={"generate_mask": (0,)},
            calls={"sam3.submit": 1},
            message="of the values 1 and 2",
        ),
    ),
    Scenario(
        name="a-mask-that-two-points-of-five-agree-with",
        story="What comes as a mask once is the cut-out, which two points of five agree with: it is noticed.",
        theme=THEME,
        photo="far",
        points=((*NECK, 1), (*CORNERS[0], 0), *((*corner, 1) for corner in CORNERS[1:])),
        rules=(rule("sam3", "submit", "picture_unchanged", calls="1"),),
        expect=Expect(attempts={"generate_mask": (2, 6)}),
    ),
    Scenario(
        name="a-mask-in-which-two-points-of-five-show",
        story="What comes as a painted mask once is the cut-out, in which two points of five show: it is noticed.",
        theme=THEME,
        photo="far",
        strokes=(_stroke(NECK, (NECK[0] + 0.01, NECK[1]), *CORNERS[:3]),),
        rules=(rule("a100", "refine_mask", "picture_unchanged", calls="1"),),
        expect=Expect(attempts={"refine_mask": (4, 6)}),
    ),
    Scenario(
        name="a-mask-in-which-the-last-stroke-does-not-show",
        story="In what comes as a painted mask once all of a long stroke shows, and nothing of the last one: noticed.",
        theme=THEME,
        photo="far",
        strokes=(_stroke(*((NECK[0] + step / 100, NECK[1]) for step in range(-3, 4))), _stroke(*CORNERS[:2])),
        rules=(rule("a100", "refine_mask", "picture_unchanged", calls="1"),),
        expect=Expect(attempts={"refine_mask": (4, 6)}),
    ),
    Scenario(
        name="strokes-that-the-last-one-undoes",
        story="The last stroke erases what a longer one painted: the mask is right, though that one does not show.",
        theme=THEME,
        strokes=(
            _stroke(*((0.02 + step / 100, 0.02) for step in range(8))),
            {**_stroke((0.02, 0.02), (0.1, 0.02)), "mode": "remove", "size": 30},
        ),
        expect=Expect(calls={"a100.refine_mask": 1}, sent={"a100.refine_mask": {"strokes": 2}}),
    ),
    # Let pass, because nothing tells the lie from the truth:
    Scenario(
        name="a-mask-that-half-of-the-points-agree-with-passes",
        story="What comes as a mask is the cut-out, and half of the points agree with it: it is let pass.",
        theme=THEME,
        photo="far",
        points=((*NECK, 1), (*CORNERS[0], 1)),
        rules=(rule("sam3", "submit", "picture_unchanged"),),
        expect=Expect(calls={"sam3.submit": 1}),
    ),
    Scenario(
        name="a-mask-in-which-half-of-the-stroke-shows-passes",
        story="What comes as a painted mask is the cut-out, in which half of the stroke shows: it is let pass.",
        theme=THEME,
        photo="far",
        strokes=(_stroke(NECK, CORNERS[0]),),
        rules=(rule("a100", "refine_mask", "picture_unchanged"),),
        expect=Expect(calls={"a100.refine_mask": 1}),
    ),
    Scenario(
        name="a-picture-of-sixteen-megabytes-passes",
        story="The file of a resized picture is the largest that is read, in two pieces: it is taken.",
        theme=THEME,
        rules=(rule("image_manipulator", "resize", "picture_heavy", size=16 * 1024 * 1024),),
        expect=Expect(attempts={"resize_image": (0,)}),
    ),
    Scenario(
        name="small-photo-not-resized-passes",
        story="A small photo that is given back unchanged is what a resize that never enlarges makes of it.",
        theme=THEME,
        rules=(rule("image_manipulator", "resize", "picture_unchanged"),),
        expect=Expect(calls={"image_manipulator.resize": 1}),
    ),
    Scenario(
        name="painted-mask-full-passes",
        story="A full mask out of strokes that add is let pass: the user may have painted all of it.",
        theme=THEME,
        strokes=(ADD,),
        rules=(rule("a100", "refine_mask", "mask_full"),),
        expect=Expect(calls={"a100.refine_mask": 1}),
    ),
    Scenario(
        name="painted-mask-empty-passes",
        story="An empty mask out of strokes that remove is let pass: the user may have erased all of it.",
        theme=THEME,
        strokes=(ADD, REMOVE),
        rules=(rule("a100", "refine_mask", "mask_empty"),),
        expect=Expect(calls={"a100.refine_mask": 1}),
    ),
)
