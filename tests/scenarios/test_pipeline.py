"""The harness's table of the pipeline beside the application: two writings of one specification that must agree."""

from app.pipeline import policies
from app.pipeline.activities import Activities
from app.pipeline.steps import Step
from app.settings import Settings
from scenarios import pipeline

POLICY_OF = {
    "upload_to_azure": policies.UPLOAD,
    "resize_image": policies.RESIZE,
    "check_zoom": policies.ZOOM,
    "remove_background": policies.BACKGROUND,
    "generate_mask": policies.MASK,
    "refine_mask": policies.REFINE,
    "generate_images": policies.GENERATE,
}


def test_steps_and_progress() -> None:
    told = [(step.name, step.progress) for step in pipeline.STEPS]
    assert [*told, (pipeline.COMPLETED, 100)] == [(step.value, step.progress) for step in Step]


def test_every_activity_is_one_of_the_application() -> None:
    assert tuple(POLICY_OF) == pipeline.ACTIVITIES
    assert all(hasattr(getattr(Activities, name), "__temporal_activity_definition") for name in pipeline.ACTIVITIES)


def test_retries_and_timeouts() -> None:
    for step in pipeline.STEPS:
        policy, retry = POLICY_OF[step.activity], POLICY_OF[step.activity].retry
        assert policy.start_to_close == step.start_to_close_s, step.name
        assert retry.maximum_interval is not None
        assert (
            retry.initial_interval.total_seconds(),
            retry.backoff_coefficient,
            retry.maximum_interval.total_seconds(),
            retry.maximum_attempts,
        ) == (step.retry.first_s, step.retry.coefficient, step.retry.longest_s, step.retry.attempts), step.name


def test_every_service_is_found_by_its_variable() -> None:
    assert {name.lower() for name in pipeline.VARIABLES.values()} <= set(Settings.model_fields)


def test_what_a_step_may_call() -> None:
    calls = pipeline.BY_NAME["REFINING_MASK"].calls
    assert {"a100.refine_mask", "a100_spare.refine_mask", "a100.health", "blob.put"} < calls
    assert "a100.generate" not in calls
    assert pipeline.BY_NAME["CHECKING_ZOOM"].calls == {"image_manipulator.zoom_check"}


def test_whose_call_it_is() -> None:
    mask, images = pipeline.step_of("sam3", "poll"), pipeline.step_of("a100_spare", "generate")
    assert mask is not None
    assert images is not None
    assert (mask.activity, mask.job, mask.work) == ("generate_mask", True, "submit")
    assert (images.activity, images.job, images.work) == ("generate_images", False, "generate")
    assert pipeline.step_of("a100", "health") is None
