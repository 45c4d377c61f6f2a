"""Services name, write and pack their results as they like; what must hold is looked at, whatever the name."""

import base64
import io
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import pytest
from PIL import Image
from temporalio.testing import ActivityEnvironment

from app.attempts.attempt import Attempt
from app.attempts.deadline import Deadline
from app.attempts.heartbeat import Heart
from app.errors.services import A100_ERRORS, SAM3_ERRORS
from app.names import is_another_s
from app.pictures import result_checks
from app.pictures.results import Check, Results
from app.pipeline.models import MaskPoint
from app.services.blob import BlobStore

OWN, ANOTHER = "5f0d3b52-1d41-4bd5-9a3c-0f6f6d3b1a01", "5f0d3b52-1d41-4bd5-9a3c-0f6f6d3b1a02"
SIZE = (64, 48)
POINTS = [MaskPoint(x=0.5, y=0.5, label=1), MaskPoint(x=0.05, y=0.05, label=0)]
ResultT = TypeVar("ResultT")


def picture(kind: str, mode: str = "RGB", inside: object = 255) -> bytes:
    image = Image.new(mode, SIZE)
    image.paste(inside if mode == "L" else (200, 100, 50), (20, 15, 44, 33))  # type: ignore[arg-type]
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()


resized: Check = partial(result_checks.check_resized, size=SIZE)
mask: Check = partial(result_checks.check_mask, size=SIZE, points=POINTS)


async def _in_an_attempt(work: Callable[[Attempt], Awaitable[ResultT]]) -> ResultT:
    attempt = Attempt(OWN, "generate_mask", 1, Deadline(20), Deadline(20), Heart(None))
    return await ActivityEnvironment().run(lambda: work(attempt))


async def checked(blobs: BlobStore, name: str, data: bytes, check: Check) -> str:
    """Store a result as a service does, and look at it as the pipeline does."""
    await blobs.put(name, data, "image/png")
    results = Results(blobs)
    return (await _in_an_attempt(lambda attempt: results.check(attempt, blobs.uri(name), SAM3_ERRORS, check))).uri


@pytest.mark.parametrize(
    "name",
    [
        f"{OWN}-mask.png",
        f"{OWN}/mask.png",
        "resized/0b9d7a52-3c0e-4b8e-9d41-2a7c5e90b3f4.png",
        "mask-17.png",
        "out/2026/11/28/mask",
        "MASK.PNG",
        f"by-job/{ANOTHER}.png",
    ],
)
async def test_a_result_may_have_any_name_that_is_not_another_try_on_s(blobs: BlobStore, name: str) -> None:
    assert not is_another_s(name, OWN)
    assert await checked(blobs, name, picture("PNG", "L"), mask) == blobs.uri(name)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("r/1.jpg", "JPEG"), ("r/2.JPEG", "JPEG"), ("r/3", "JPEG"), ("r/4.png", "PNG"), ("r/5.png", "JPEG")],
)
async def test_a_resized_picture_is_a_jpeg_or_what_its_name_says(blobs: BlobStore, name: str, kind: str) -> None:
    assert await checked(blobs, name, picture(kind), resized) == blobs.uri(name)


@pytest.mark.parametrize("name", ["r/6.jpg", "r/7", "r/8.webp"])
async def test_a_format_that_nothing_announces_is_a_bad_answer(blobs: BlobStore, name: str) -> None:
    with pytest.raises(SAM3_ERRORS.bad_answer, match="PNG instead of JPEG"):
        await checked(blobs, name, picture("PNG"), resized)


async def test_an_empty_file_is_the_bad_answer_of_who_made_it(blobs: BlobStore) -> None:
    with pytest.raises(SAM3_ERRORS.bad_answer, match="SAM3 made an empty file"):
        await checked(blobs, "r/9.png", b"", mask)


async def test_a_mask_of_noughts_and_ones_goes_on_as_one_that_everybody_reads(blobs: BlobStore) -> None:
    uri = await checked(blobs, "masks/17.png", picture("PNG", "L", inside=1), mask)
    assert uri == blobs.uri(f"{OWN}-17-plain.png")
    stored = await blobs.get(blobs.name(uri), max_bytes=100_000)
    assert Image.open(io.BytesIO(stored)).tobytes() == Image.open(io.BytesIO(picture("PNG", "L"))).tobytes()


async def test_a_mask_of_unknown_values_is_not_asked_for_again(blobs: BlobStore) -> None:
    image = Image.linear_gradient("L").resize(SIZE).point(lambda value: value // 3)
    out = io.BytesIO()
    image.save(out, "PNG")
    with pytest.raises(SAM3_ERRORS.bad_answer, match=r"SAM3 made a mask of the values \d+ to \d+, where") as told:
        await checked(blobs, "masks/18.png", out.getvalue(), mask)
    assert told.value.final


DRESSES: dict[str, Callable[[bytes], str]] = {
    "plain": lambda data: base64.b64encode(data).decode(),
    "a data: URL": lambda data: "data:image/jpeg;base64," + base64.b64encode(data).decode(),
    "lines": lambda data: base64.encodebytes(data).decode(),
    "the alphabet of URLs": lambda data: base64.urlsafe_b64encode(data).decode().rstrip("="),
}


@pytest.mark.parametrize("dress", DRESSES)
async def test_a_picture_in_any_dress_of_base64_is_stored(blobs: BlobStore, dress: str) -> None:
    data = picture("JPEG")
    results = Results(blobs)
    uri = await _in_an_attempt(
        lambda attempt: results.store(attempt, "flux", DRESSES[dress](data), A100_ERRORS, result_checks.check_fidelity)
    )
    assert await blobs.get(blobs.name(uri), max_bytes=100_000) == data
