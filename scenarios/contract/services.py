"""The contract itself, line by line: what the specification says of each service, and how it is looked at.

Where it says nothing, what the pipeline relies on is written here, and `place` says "relied on".
"""

import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from scenarios.contract.pictures import BACKGROUND, FOREGROUND, SIZE, decoded, inside, mask, photo
from scenarios.contract.report import Deviation, Report, expect, needed
from scenarios.contract.under_test import JOBS, UnderTest, says_nothing_of_it

IMAGE_MANIPULATOR = "specification, 2. Image Manipulator Service"
BIREFNET = "specification, 3. BiRefNet Service"
SAM3 = "specification, 4. SAM3 Service"
A100 = "specification, 5. A100 Server"
RELIED_ON = "not in the specification; relied on by the pipeline"
LONGEST = 300


async def image_manipulator(bench: UnderTest, report: Report) -> None:
    """Check /resize and /zoom_check."""
    width, height = SIZE
    answer: dict[str, Any] | None = None
    with report.line("POST /resize answers the new URI and both sizes", f"{IMAGE_MANIPULATOR}, POST /resize"):
        uri = await bench.put(".jpg", photo())
        answer = await bench.ask("POST", "/resize", {"image_uri": uri, "max_dimension": LONGEST})
    with report.line("… the original size is the photo's", f"{IMAGE_MANIPULATOR}, POST /resize"):
        found = needed(answer)
        original = (found["original_width"], found["original_height"])
        expect(original == SIZE, f"it says {original} of a photo of {SIZE}")
    with report.line("… the longer side is max_dimension, the aspect ratio kept", f"{IMAGE_MANIPULATOR}, POST /resize"):
        found = needed(answer)
        new = (found["new_width"], found["new_height"])
        due = (LONGEST * width / height, LONGEST)
        expect(all(abs(a - b) <= 1 for a, b in zip(new, due, strict=True)), f"it says {new}, due is about {due}")
    with report.line("… the blob is a JPEG of the new size", f"{IMAGE_MANIPULATOR}, POST /resize"):
        found = needed(answer)
        image = await bench.picture(found["resized_uri"], "JPEG")
        new = (found["new_width"], found["new_height"])
        expect(image.size == new, f"the blob has {image.size} pixels, the answer says {new}")
    with report.line("… its name is the photo's with -resized.jpg", f"{IMAGE_MANIPULATOR}, POST /resize"):
        found = needed(answer)["resized_uri"]
        if found != bench.uri("-resized.jpg"):
            bench.takes(f"{found} instead of {bench.uri('-resized.jpg')}")
        expect(bench.is_in_the_container(found), f"{found} is not in the container of {bench.uri('')}")
    with report.line("a photo that is small enough is not enlarged", RELIED_ON):
        uri = await bench.put("-small.jpg", photo((90, 120)))
        small = await bench.ask("POST", "/resize", {"image_uri": uri, "max_dimension": LONGEST})
        expect((small["new_width"], small["new_height"]) == (90, 120), f"90x120 became {small}")
    with report.line("POST /zoom_check answers advice and zoom level", f"{IMAGE_MANIPULATOR}, POST /zoom_check"):
        await bench.ask("POST", "/zoom_check", {"image_uri": bench.uri(".jpg")})
    for path, body in (("/resize", {"max_dimension": LONGEST}), ("/zoom_check", {})):
        with report.line(f"POST {path} of a picture that is not there is an error", RELIED_ON):
            response = await bench.send("POST", path, {"image_uri": bench.uri("-nothing.jpg"), **body})
            says_nothing_of_it(response)
            expect(response.status_code >= 400, f"it answered {response.status_code}: {response.text[:200]}")


async def birefnet(bench: UnderTest, report: Report) -> None:
    """Check a background removal."""
    uri = await _job(bench, report, BIREFNET, {"image_uri": ""}, "result_uri")
    with report.line("the result is a PNG with alpha, of the photo's size", BIREFNET):
        image = await bench.picture(needed(uri), "PNG")
        expect(image.mode in {"RGBA", "LA"}, f"its mode is {image.mode}: there is no alpha")
        expect(image.size == SIZE, f"it has {image.size} pixels, the photo {SIZE}")
    with report.line("something of the photo is removed, and something left", RELIED_ON):
        image = await bench.picture(needed(uri), "PNG")
        expect("A" in image.getbands(), "there is no alpha")
        lowest, highest = image.getchannel("A").getextrema()
        expect(lowest != highest, f"alpha is {lowest} everywhere")


async def sam3(bench: UnderTest, report: Report) -> None:
    """Check a segmentation."""
    points = [*FOREGROUND, *BACKGROUND]
    body = {"image_uri": "", "points": points, "labels": [1] * len(FOREGROUND) + [0] * len(BACKGROUND)}
    uri = await _job(bench, report, SAM3, body, "mask_uri")
    with report.line("the mask is a PNG of the photo's size", SAM3):
        image = await bench.picture(needed(uri), "PNG")
        expect(image.size == SIZE, f"it has {image.size} pixels, the photo {SIZE}")
    with report.line("the mask holds the points of label 1 and not those of label 0", SAM3):
        image = bench.mask(await bench.picture(needed(uri), "PNG"))
        missed = [point for point in FOREGROUND if not inside(image, point)]
        expect(not missed, f"foreground points outside the mask: {missed}")
        taken = [point for point in BACKGROUND if inside(image, point)]
        expect(not taken, f"background points inside the mask: {taken}")


async def a100(bench: UnderTest, report: Report) -> None:
    """Check health, a refinement and a generation; both cost GPU time on a real server."""
    with report.line("GET /health answers status online and the free memory", f"{A100}, GET /health"):
        health = await bench.ask("GET", "/health")
        expect(health["status"] == "online", f"its status is {health['status']!r}")
    refined: dict[str, Any] | None = None
    added, removed = (0.2, 0.3), (0.5, 0.62)
    with report.line("POST /refine_mask answers the new mask's URI", f"{A100}, POST /refine_mask"):
        pictures = {"image_uri": await bench.put(".jpg", photo()), "mask_uri": await bench.put("-mask.png", mask())}
        strokes = [
            {"points": [added, (0.22, 0.31)], "mode": "add", "size": 30},
            {"points": [removed, (0.52, 0.62)], "mode": "remove", "size": 30},
        ]
        body = {**pictures, "strokes": strokes}
        refined = await bench.ask("POST", "/refine_mask", body, limit=60)
    with report.line("… a PNG of the mask's size in which both strokes show", f"{A100}, POST /refine_mask"):
        image = bench.mask(await bench.picture(needed(refined)["refined_mask_uri"], "PNG"))
        expect(image.size == SIZE, f"it has {image.size} pixels, the mask {SIZE}")
        expect(inside(image, added), "the stroke that adds does not show")
        expect(not inside(image, removed), "the stroke that removes does not show")
    made: dict[str, Any] | None = None
    with report.line("POST /generate answers pictures and metrics", f"{A100}, POST /generate"):
        pictures = {"image_uri": await bench.put(".jpg", photo()), "mask_uri": await bench.put("-mask.png", mask())}
        made = await bench.ask("POST", "/generate", pictures, limit=180)
    for field in ("result_base64", "result_gemini_base64"):
        with report.line(f"… {field} is a JPEG of the photo's size, and not the photo", f"{A100}, POST /generate"):
            text = needed(made)[field]
            if text is not None:
                data = _bytes_of(bench, text, field)
                image = decoded(data, "JPEG", field)
                expect(image.size == SIZE, f"it has {image.size} pixels, the photo {SIZE}")
                expect(data != photo(), "it is the photo, unchanged")
    for field in ("fidelity_viz_base64", "fidelity_viz_gemini_base64"):
        with report.line(f"… {field} is a JPEG", f"{A100}, POST /generate"):
            text = needed(made)[field]
            if text is not None:
                decoded(_bytes_of(bench, text, field), "JPEG", field)
    with report.line("… what Gemini did not give is null, metrics included", f"{A100}, POST /generate"):
        found = needed(made)
        nulls = {field: found[field] is None for field in ("result_gemini_base64", "metrics_gemini")}
        expect(len(set(nulls.values())) == 1, f"which is null: {nulls}")


def _bytes_of(bench: UnderTest, text: str, field: str) -> bytes:
    bare = text.partition(",")[2] if text.startswith("data:") else text
    bare = "".join(bare.split()).translate(str.maketrans("-_", "+/")).rstrip("=")
    bare += "=" * (-len(bare) % 4)
    try:
        data = base64.b64decode(bare, validate=True)
    except binascii.Error:
        raise Deviation(f"{field} is no base64: {text[:40]!r}") from None
    if bare != text:
        bench.takes(f"base64 in another dress: {text[:40]!r}")
    return data


async def _job(bench: UnderTest, report: Report, place: str, body: Mapping[str, object], field: str) -> str | None:
    """Check the job pattern, and return the result's URI when it came so far."""
    submitted: dict[str, Any] | None = None
    with report.line("POST /jobs answers a job_id", f"{place}, Submit Job"):
        uri = await bench.put(".jpg", photo())
        submitted = await bench.ask("POST", JOBS, {**body, "image_uri": uri})
    done: dict[str, Any] | None = None
    with report.line(f"GET /jobs/{{id}} says completed within 120 s, with {field}", f"{place}, Poll"):
        found = await bench.finished(needed(submitted)["job_id"], field)
        expect(found["status"] == "completed", f"the job {found['status']}: {str(found)[:200]}")
        expect(found.get(field) is not None, f"it has no {field}: {str(found)[:200]}")
        done = found
    with report.line("a completed job answers the same again", RELIED_ON):
        first = needed(done)
        again = await bench.finished(needed(submitted)["job_id"], field)
        expect(again == first, f"first {first}, then {again}")
    with report.line("a job that is not there is a 404", RELIED_ON):
        response = await bench.send("GET", f"{JOBS}/{bench.run}")
        says_nothing_of_it(response)
        expect(response.status_code == 404, f"it answered {response.status_code}: {response.text[:200]}")
    with report.line("a picture that is not there is refused, or fails its job", RELIED_ON):
        response = await bench.send("POST", JOBS, {**body, "image_uri": bench.uri("-nothing.jpg")})
        says_nothing_of_it(response)
        if response.is_success:
            job_id = bench.answer_of(response)["job_id"]
            found = await bench.finished(job_id, field)
            expect(found["status"] == "failed", f"the job {found['status']}")
    return None if done is None else str(done[field])


CHECKS: dict[str, Callable[[UnderTest, Report], Awaitable[None]]] = {
    "image_manipulator": image_manipulator,
    "birefnet": birefnet,
    "sam3": sam3,
    "a100": a100,
}
"""The checks of each service, by its name."""
