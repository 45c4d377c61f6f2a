"""Nothing goes wrong: background or not, strokes or not, Gemini or not, and every form in which a photo comes."""

from scenarios.photos import PHOTOS
from scenarios.scenario import Act, Expect, Scenario, rule

THEME = "happy paths"

ADD = {"points": [{"x": 0.4, "y": 0.62}, {"x": 0.6, "y": 0.64}], "mode": "add", "size": 12}
REMOVE = {"points": [{"x": 0.2, "y": 0.9}, {"x": 0.8, "y": 0.9}], "mode": "remove", "size": 9}

FORMATS = {
    "large": "A photo larger than 1536 pixels is made smaller, and the results have its new size.",
    "twelve-megapixels": "A phone's 12-megapixel photo goes through, and no payload grows with it.",
    "narrow": "A photo of 3200 by 40 pixels is one of 1536 by 19 when it is smaller, and goes through.",
    "least": "A photo of 32 by 32 pixels is as small as one may be.",
    "sideways": "A photo taken sideways (EXIF) comes out upright.",
    "progressive": "A progressive JPEG is as good as any.",
    "grey": "A black-and-white photo gets its jewellery in colour.",
    "cmyk": "A CMYK JPEG, as print shops send it, keeps its colours.",
    "png": "A PNG is stored as JPEG.",
    "png-alpha": "A PNG with transparency is flattened on white.",
    "png-palette": "A PNG with a palette becomes true colour.",
    "no-end": "A JPEG without its end marker, as some phones write it, is whole.",
    "with-a-place": "What a phone notes beside the picture and appends behind it is no hindrance, and goes nowhere.",
    "jpeg-cmyk-profile-progressive-noted": "Notes of every kind between the passes of an inky photo go nowhere.",
    "png-rgb-turned-6-noted": "What a PNG says beside its picture, before or behind it, goes nowhere; its turn counts.",
    "png-grey-16": "A PNG of 16 bits does not come out white.",
    "jpeg-inks-profile": "Inks that are not Adobe's have the colours of their profile.",
    "jpeg-rgb-profile-progressive-turned-6-no-end": "A turned photo in passes and wide colours, without its end.",
    "jpeg-grey-profile-turned-4": "Grey whose numbers are light, upside down in a mirror, is put right.",
    "png-see-through-palette-gamma-turned-5-no-end": "A PNG of all that is odd of one is what a browser shows of it.",
    "png-grey-16-cicp-profile-turned-7": "Sixteen bits of grey, in light and turned, are the grey of the portrait.",
    "png-rgb-cicp-turned-6-late": "What a PNG says behind its pixels, of light and of turning, counts for no browser.",
    "jpeg-cmyk-turned-8-late": "EXIF as the last part before a JPEG's pixels turns it as any other does.",
    "turned-2": "A photo that was taken as in a mirror (EXIF) is mirrored.",
    "turned-3": "A photo taken upside down comes out upright.",
    "turned-4": "A photo taken upside down, as in a mirror, comes out upright and mirrored.",
    "turned-5": "A photo taken sideways, as in a mirror, comes out upright and mirrored.",
    "turned-7": "A photo taken to the other side, as in a mirror, comes out upright and mirrored.",
    "turned-8": "A photo taken to the other side comes out upright.",
    "see-through": "Where a PNG is seen through it becomes white, and not what is hidden there.",
    "see-through-palette": "A palette may hold a colour that is seen through.",
    "see-through-grey": "A PNG without an alpha channel may name a grey that is seen through.",
    "cicp": "A PNG that says its colours by a cICP is shown in them.",
    "cicp-over-a-profile": "A PNG that says its colours twice is believed as browsers do: its cICP.",
    "gamma": "A PNG that says its gamma is shown by it.",
}

SCENARIOS = (
    Scenario(
        name="near",
        story="A close-up needs no background removal: six services' calls, one poll, no strokes.",
        theme=THEME,
        live=True,
        expect=Expect(
            background_removed=False,
            gemini=True,
            length_s=2,
            calls={
                "image_manipulator.resize": 1,
                "image_manipulator.zoom_check": 1,
                "birefnet": 0,
                "sam3.submit": 1,
                "sam3.poll": 1,
                "a100.health": 1,
                "a100.generate": 1,
                "a100_spare": 0,
            },
        ),
    ),
    Scenario(
        name="far",
        story="A person far away gets the background removed, and the mask is made on the cut-out.",
        theme=THEME,
        photo="far",
        live=True,
        expect=Expect(
            background_removed=True,
            length_s=4,
            calls={"birefnet.submit": 1, "birefnet.poll": 1, "sam3.submit": 1},
            attempts={"remove_background": (0,), "generate_mask": (2,), "generate_images": (4,)},
        ),
    ),
    Scenario(
        name="asked-by-temporals-query",
        story="Somebody asks the workflow itself how far it is, by `get_progress`: in each wait, and at the end.",
        theme=THEME,
        photo="far",
        strokes=(ADD,),
        acts=(Act("progress", 1), Act("progress", 3), Act("progress", "end"), Act("health", "end")),
        expect=Expect(background_removed=True, length_s=4),
    ),
    Scenario(
        name="asked-in-every-way",
        story="The start is repeated, the try-on followed by streams and from pages, and cancelled at its end.",
        theme=THEME,
        photo="far",
        rules=(rule("birefnet", "submit", "job_slow", seconds=20),),
        acts=(
            *(Act("repeat", at) for at in ("start", "accepted", 3, "end")),
            *(Act(do, at) for do in ("events", "events_anew", "events_late") for at in ("accepted", 5, "end")),
            *(Act("repeat_other", at) for at in ("accepted", 7, "end")),
            *(Act("from_pages", at) for at in (9, "end")),
            Act("wait", 11),
            Act("cancel", "end"),
        ),
        expect=Expect(background_removed=True, length_s=22, calls={"birefnet.submit": 1}),
    ),
    Scenario(
        name="looked-at-in-each-step",
        story="Each step takes three seconds and more, and somebody looks in the middle of it, by both ways.",
        theme=THEME,
        photo="far",
        strokes=(ADD,),
        rules=(
            rule("blob", "put", "delay", calls="1", seconds=3),
            rule("image_manipulator", "resize", "delay", seconds=3),
            rule("image_manipulator", "zoom_check", "delay", seconds=3),
            rule("birefnet", "submit", "job_slow", seconds=3),
            rule("sam3", "submit", "job_slow", seconds=3),
            rule("a100", "refine_mask", "delay", seconds=3),
            rule("a100", "generate", "delay", seconds=3),
        ),
        acts=(
            *(Act(do, at) for at in (1.5, 4.5, 7.5, 12, 16, 18.5, 21.5) for do in ("status", "progress")),
            *(Act("wait_through", at) for at in ("accepted", 4.5, 12)),
        ),
        expect=Expect(background_removed=True, length_s=23),
    ),
    Scenario(
        name="mostly-background-points",
        story="Three points say where the jewellery is not: the mask agrees with them, and leaves those places out.",
        theme=THEME,
        points=((*PHOTOS["near"].neck, 1), (0.03, 0.03, 0), (0.97, 0.03, 0), (0.03, 0.5, 0)),
        expect=Expect(calls={"sam3.submit": 1, "a100.generate": 1}, sent={"sam3.submit": {"points": 4, "labels": 4}}),
    ),
    Scenario(
        name="strokes-that-add",
        story="Painting on the mask calls the A100 once more, before the pictures.",
        theme=THEME,
        strokes=(ADD,),
        live=True,
        expect=Expect(background_removed=False, calls={"a100.refine_mask": 1, "a100.health": 2, "a100.generate": 1}),
    ),
    Scenario(
        name="strokes-that-remove",
        story="Erasing from the mask is a stroke like any other.",
        theme=THEME,
        strokes=(ADD, REMOVE),
        expect=Expect(calls={"a100.refine_mask": 1}, sent={"a100.refine_mask": {"strokes": 2}}),
    ),
    Scenario(
        name="far-with-strokes",
        story="All seven steps run.",
        theme=THEME,
        photo="far",
        strokes=(ADD,),
        live=True,
        expect=Expect(background_removed=True, calls={"birefnet.submit": 1, "a100.refine_mask": 1}),
    ),
    Scenario(
        name="no-gemini",
        story="When Gemini gives nothing, its half of the result is null and the try-on is complete.",
        theme=THEME,
        rules=(rule("a100", "generate", "gemini_null"),),
        live=True,
        expect=Expect(gemini=False),
    ),
    Scenario(
        name="two-thousand-stroke-points",
        story="The most strokes that are taken travel through Temporal in less than 64 KiB.",
        theme=THEME,
        strokes=tuple(
            {
                "points": [
                    {"x": round(0.3 + 0.0123456 * i, 6), "y": round(0.5 + 0.00456789 * j, 6)} for i in range(31)
                ],
                "mode": "add",
                "size": 3,
            }
            for j in range(64)
        ),
        expect=Expect(calls={"a100.refine_mask": 1}, sent={"a100.refine_mask": {"strokes": 64}}),
    ),
    Scenario(
        name="many-points",
        story="Sixty-four points, the most that are taken, reach SAM3.",
        theme=THEME,
        points=((0.5, 0.62, 1), *((0.02 + 0.015 * i, 0.02, 0) for i in range(63))),
        expect=Expect(calls={"sam3.submit": 1}, sent={"sam3.submit": {"points": 64, "labels": 64}}),
    ),
    Scenario(
        name="only-a-foreground-point",
        story="One point is enough.",
        theme=THEME,
        points=((0.5, 0.62, 1),),
        expect=Expect(calls={"sam3.submit": 1}, sent={"sam3.submit": {"points": 1, "labels": 1}}),
    ),
    Scenario(
        name="points-and-strokes-on-the-edge",
        story="A point and a stroke may lie on the very edge of the photo, where a coordinate is 0 or 1.",
        theme=THEME,
        points=((*PHOTOS["near"].neck, 1), (1, 0, 0), (0, 0, 0)),
        strokes=({"points": [{"x": 0.9, "y": 1}, {"x": 1, "y": 1}], "mode": "add", "size": 12},),
        expect=Expect(calls={"sam3.submit": 1, "a100.refine_mask": 1}),
    ),
    *(
        Scenario(
            name=f"photo-{photo}",
            story=story,
            theme=THEME,
            photo=photo,
            expect=Expect(gemini=True, sent={"image_manipulator.resize": {"max_dimension": 1536}}),
        )
        for photo, story in FORMATS.items()
    ),
)
