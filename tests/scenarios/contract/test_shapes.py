from typing import Any

import pytest

from scenarios.contract.shapes import deviations

METRICS = {"precision": 0.98, "recall": 0.9, "iou": 0.8, "growth_ratio": 1.1}
GENERATED: dict[str, Any] = {
    "result_base64": "aGk=",
    "result_gemini_base64": None,
    "fidelity_viz_base64": None,
    "fidelity_viz_gemini_base64": None,
    "metrics": METRICS,
    "metrics_gemini": None,
}
RESIZED = {
    "resized_uri": "azure://c/x-resized.jpg",
    "original_width": 10,
    "original_height": 10,
    "new_width": 5,
    "new_height": 5,
}


def resized(**changes: Any) -> list[str]:
    return deviations("image_manipulator", "POST", "/resize", RESIZED | changes)


def generated(**changes: Any) -> list[str]:
    return deviations("a100", "POST", "/generate", GENERATED | changes)


def test_what_fits_does_not_deviate_and_fields_that_are_not_known_are_allowed() -> None:
    assert resized() == resized(model="always the same") == generated() == generated(metrics_gemini=METRICS) == []


def test_a_renamed_field_is_told_with_its_new_name() -> None:
    found = {name: value for name, value in RESIZED.items() if name != "resized_uri"} | {"resizedUri": "azure://c/x"}
    assert deviations("image_manipulator", "POST", "/resize", found) == [
        "$: 'resized_uri' is a required property; it has resizedUri"
    ]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"new_width": 0}, "$.new_width: 0 is less than the minimum of 1"),
        ({"new_width": "5"}, "$.new_width: '5' is not of type 'integer'"),
        ({"new_width": True}, "$.new_width: True is not of type 'integer'"),
        ({"resized_uri": "https://c/x.jpg"}, "$.resized_uri: 'https://c/x.jpg' does not match"),
        ({"resized_uri": None}, "$.resized_uri: None is not of type 'string'"),
    ],
)
def test_a_wrong_value_is_told_with_its_place(changes: dict[str, Any], said: str) -> None:
    [line] = resized(**changes)
    assert line.startswith(said)


def test_a_wrong_value_deep_inside_or_beside_null_is_told_too() -> None:
    [line] = generated(metrics=METRICS | {"iou": 1.2})
    assert line == "$.metrics.iou: 1.2 is greater than the maximum of 1.0"
    [line] = generated(metrics_gemini=METRICS | {"iou": 1.2})
    assert line == "$.metrics_gemini.iou: 1.2 is greater than the maximum of 1.0"
    [line] = generated(result_gemini_base64=3)
    assert line == "$.result_gemini_base64: 3 is neither null nor what is due"


def test_long_values_are_cut() -> None:
    [line] = resized(resized_uri="x" * 500)
    assert "(502 characters)" in line
    assert len(line) < 160


def test_an_answer_that_is_no_object() -> None:
    [line] = deviations("sam3", "POST", "/jobs", ["job-1"])
    assert line == "$: ['job-1'] is not of type 'object'"
    assert deviations("sam3", "GET", "/jobs/{job_id}", {"status": "done"})[0].startswith(
        "$.status: 'done' is not one of"
    )
