"""The numbers of the specification, one by one."""

from datetime import timedelta

from app.pipeline import policies
from app.pipeline.steps import Step


def test_retries_of_image_processing() -> None:
    retry = policies.IMAGE_RETRY
    assert (retry.initial_interval, retry.backoff_coefficient) == (timedelta(seconds=1), 2.0)
    assert (retry.maximum_interval, retry.maximum_attempts) == (timedelta(seconds=10), 5)
    assert policies.UPLOAD.retry is policies.RESIZE.retry is policies.ZOOM.retry is retry


def test_retries_of_ml_services() -> None:
    retry = policies.ML_RETRY
    assert (retry.initial_interval, retry.backoff_coefficient) == (timedelta(seconds=2), 2.0)
    assert (retry.maximum_interval, retry.maximum_attempts) == (timedelta(seconds=30), 3)
    ml = (policies.BACKGROUND, policies.MASK, policies.REFINE, policies.GENERATE)
    assert all(policy.retry is retry for policy in ml)


def test_start_to_close() -> None:
    steps = (policies.UPLOAD, policies.RESIZE, policies.ZOOM)
    assert [step.start_to_close for step in steps] == [30, 30, 30]
    assert [policies.BACKGROUND.start_to_close, policies.MASK.start_to_close] == [130, 130]
    assert [policies.REFINE.start_to_close, policies.GENERATE.start_to_close] == [60, 180]


def test_the_application_ends_before_the_server_does() -> None:
    every = (
        policies.UPLOAD,
        policies.RESIZE,
        policies.ZOOM,
        policies.BACKGROUND,
        policies.MASK,
        policies.REFINE,
        policies.GENERATE,
    )
    assert all(policy.deadline < policy.start_to_close for policy in every)
    assert policies.JOB_LIMIT == 120 < policies.BACKGROUND.deadline
    assert policies.POLL_INTERVAL == 2


def test_progress() -> None:
    assert [(step.value, step.progress) for step in Step] == [
        ("UPLOADING_IMAGE", 5),
        ("RESIZING_IMAGE", 15),
        ("CHECKING_ZOOM", 20),
        ("REMOVING_BACKGROUND", 30),
        ("GENERATING_MASK", 45),
        ("REFINING_MASK", 55),
        ("GENERATING_IMAGES", 70),
        ("COMPLETED", 100),
    ]
