"""Azure Blob Storage: busy, refusing, losing answers. The first `get` is the staged photo, the first `put` its copy."""

from scenarios.catalogue.happy import ADD
from scenarios.scenario import Act, Expect, Scenario, failed, rule

THEME = "Azure"

SCENARIOS = (
    Scenario(
        name="azure-busy-twice",
        story="Azure is busy for two reads of the staged photo.",
        theme=THEME,
        rules=(rule("blob", "get", "status", calls="1-2", status=503),),
        expect=Expect(attempts={"upload_to_azure": (0, 1, 3)}, calls={"image_manipulator.resize": 1}),
    ),
    Scenario(
        name="azure-busy-says-when",
        story="Azure is busy and says to come back in 6 s.",
        theme=THEME,
        rules=(rule("blob", "get", "status", calls="1", status=503, retry_after=6),),
        expect=Expect(attempts={"upload_to_azure": (0, 6)}),
    ),
    Scenario(
        name="azure-down",
        story="Azure resets every connection: five attempts, and no service is asked for anything.",
        theme=THEME,
        rules=(rule("blob", "get", "reset"),),
        expect=failed(
            "AZURE_UNAVAILABLE",
            "UPLOADING_IMAGE",
            attempts={"upload_to_azure": (0, 1, 3, 7, 15)},
            calls={"image_manipulator": 0},
        ),
    ),
    Scenario(
        name="azure-refuses",
        story="Azure refuses the key: final at once.",
        theme=THEME,
        rules=(rule("blob", "get", "status", status=403),),
        expect=failed("AZURE_REJECTED", "UPLOADING_IMAGE", attempts={"upload_to_azure": (0,)}),
    ),
    *(
        Scenario(
            name=f"azure-refuses-with-{status}",
            story=f"Azure answers {status}, which no other attempt would change: final at once.",
            theme=THEME,
            rules=(rule("blob", "get", "status", status=status),),
            expect=failed("AZURE_REJECTED", "UPLOADING_IMAGE", attempts={"upload_to_azure": (0,)}),
        )
        for status in (400, 401, 405, 409, 411, 412, 413, 415)
    ),
    *(
        Scenario(
            name=f"azure-has-{name}-photo",
            story=f"What Azure has under the staged photo's name {what}, at every attempt: it might be right by then.",
            theme=THEME,
            rules=(rule("blob", "get", "blob_size", bytes=size),),
            expect=failed(
                "AZURE_BAD_ANSWER",
                "UPLOADING_IMAGE",
                attempts={"upload_to_azure": (0, 1, 3, 7, 15)},
                calls={"image_manipulator": 0},
            ),
        )
        for name, what, size in (("an-emptied", "has no byte", 0), ("a-swollen", "is larger than any photo", 2**26))
    ),
    Scenario(
        name="azure-has-an-emptied-mask",
        story="SAM3's mask has no byte when it is read: the job is made anew, as for any bad result.",
        theme=THEME,
        rules=(rule("blob", "get", "blob_size", calls="3-4"),),
        expect=Expect(attempts={"generate_mask": (0, 4)}, calls={"sam3.submit": 2}),
    ),
    Scenario(
        name="another-photo-by-the-same-key",
        story="The same key comes with another photo before the first is read: refused, and the first is used.",
        theme=THEME,
        rules=(rule("blob", "get", "status", calls="1", status=503),),
        acts=(Act("repeat_other", 0.5),),
        expect=Expect(attempts={"upload_to_azure": (0, 1)}),
    ),
    *(
        Scenario(
            name=f"azure-{name}",
            story=story,
            theme=THEME,
            rules=(rule("blob", "get", kind),),
            expect=failed("AZURE_REJECTED", "UPLOADING_IMAGE", attempts={"upload_to_azure": (0,)}, message=message),
        )
        for name, kind, message, story in (
            (
                "takes-no-key",
                "key_not_permitted",
                "KeyBasedAuthenticationNotPermitted",
                "The account takes identities alone: final at once, and the message has Azure's own word.",
            ),
            (
                "has-no-such-container",
                "container_missing",
                "The container is missing",
                "The container is gone: final at once, and that it is the container is said.",
            ),
            (
                "has-another-time",
                "clock_skew",
                "AuthenticationFailed",
                "The worker's clock is too far off for Azure: final at once, and the message has Azure's own word.",
            ),
        )
    ),
    Scenario(
        name="azure-comes-back-when-the-attempt-has-to-end",
        story="Azure says to come back at the instant when the attempt has to end: not waited for, and final.",
        theme=THEME,
        rules=(rule("blob", "get", "status", calls="2", status=503, retry_after=28),),
        expect=failed("AZURE_UNAVAILABLE", "RESIZING_IMAGE", length_s=0, attempts={"resize_image": (0,)}),
    ),
    Scenario(
        name="azure-is-deleting-the-container",
        story="The container is being deleted, and is there again after two tries.",
        theme=THEME,
        rules=(rule("blob", "get", "container_being_deleted", calls="1-2"),),
        expect=Expect(attempts={"upload_to_azure": (0, 1, 3)}),
    ),
    Scenario(
        name="azure-is-deleting-the-container-when-results-are-stored",
        story="The container is being deleted when a result is stored: that is done again, and the GPU's work is not.",
        theme=THEME,
        rules=(rule("blob", "put", "container_being_deleted", calls="2"),),
        expect=Expect(attempts={"generate_images": (2,)}, calls={"a100.generate": 1}),
    ),
    Scenario(
        name="azure-has-lost-the-photo",
        story="The staged photo is gone: final at once.",
        theme=THEME,
        rules=(rule("blob", "get", "status", status=404),),
        expect=failed("AZURE_NOT_FOUND", "UPLOADING_IMAGE", attempts={"upload_to_azure": (0,)}),
    ),
    Scenario(
        name="azure-hangs",
        story="A read that hangs ends at the attempt's deadline, 27 s, and is tried again.",
        theme=THEME,
        rules=(rule("blob", "get", "hang", calls="1"),),
        expect=Expect(attempts={"upload_to_azure": (0, 28)}),
    ),
    Scenario(
        name="azure-breaks-off-a-download",
        story="A download that breaks off is not taken for a photo: the SDK reads on thrice, then the attempt ends.",
        theme=THEME,
        rules=(rule("blob", "get", "truncate", calls="1-4"),),
        # It waits a second before each time but the first; then the backoff of 1 s.
        expect=Expect(attempts={"upload_to_azure": (0, 3)}),
    ),
    Scenario(
        name="azure-loses-the-answer-to-a-put",
        story="The photo's copy is written, the answers are lost: it is written again, to the same name.",
        theme=THEME,
        # The HTTP library below the SDK repeats a PUT whose connection broke once by itself.
        rules=(rule("blob", "put", "answer_lost", calls="1-2"),),
        expect=Expect(attempts={"upload_to_azure": (0, 1)}),
    ),
    Scenario(
        name="azure-busy-when-results-are-stored",
        story="Azure is busy when the results are stored: they are stored again, and the GPU is not asked again.",
        theme=THEME,
        rules=(rule("blob", "put", "status", calls="2-4", status=503),),
        expect=Expect(attempts={"generate_images": (2,)}, calls={"a100.generate": 1}),
    ),
    Scenario(
        name="azure-busy-when-late-results-are-stored",
        story="The A100 answers in its last second, and Azure is busy then: the results have time of their own.",
        theme=THEME,
        rules=(
            rule("a100", "generate", "delay", seconds=164),
            rule("blob", "put", "status", calls="2-4", status=503),
        ),
        expect=Expect(length_s=173, attempts={"generate_images": (2,)}, calls={"a100.generate": 1}),
    ),
    Scenario(
        name="azure-busy-when-a-late-mask-is-read",
        story="The A100 paints the mask in the last second that it has, and Azure is busy when it is looked at.",
        theme=THEME,
        strokes=(ADD,),
        rules=(
            rule("a100", "refine_mask", "delay", seconds=49),
            rule("blob", "get", "status", calls="4-5", status=503),
        ),
        expect=Expect(attempts={"refine_mask": (2,)}, calls={"a100.refine_mask": 1}),
    ),
    Scenario(
        name="azure-down-when-results-are-stored",
        story="Azure stays away when the results are stored: five tries, then final. The GPU is not asked again.",
        theme=THEME,
        rules=(rule("blob", "put", "status", calls="2-", status=503),),
        expect=failed(
            "AZURE_UNAVAILABLE",
            "GENERATING_IMAGES",
            length_s=17,
            attempts={"generate_images": (2,)},
            calls={"a100.generate": 1, "blob.put": 6},
        ),
    ),
)
