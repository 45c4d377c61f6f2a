import base64
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from pydantic import ValidationError

from fakes.registry import SERVICES
from loadtests import plan
from loadtests.mix import DEFAULT, MixError, load_mix


def mix_file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mix.yaml"
    path.write_text(text)
    return path


def test_cases_come_by_weight_and_number_alone(tmp_path: Path) -> None:
    path = mix_file(tmp_path, "- {scenario: near, weight: 3}\n- {scenario: far, weight: 1, follow: events}")
    mix = load_mix(path, fakes=SERVICES)
    counted = Counter(mix.choose(1, number).name for number in range(4000))
    assert counted["near"] / counted["far, events"] == pytest.approx(3, rel=0.15)
    assert [mix.choose(1, number).name for number in range(50)] == [
        load_mix(path, fakes=SERVICES).choose(1, number).name for number in range(50)
    ]


def test_the_shipped_mix_is_usable_and_leaves_faults_out_where_there_are_no_fakes() -> None:
    assert load_mix(DEFAULT, fakes=SERVICES).left_out == ()
    real = load_mix(DEFAULT, fakes=())
    assert len(real.left_out) == 2
    assert not any(case.scenario.rules for case in real.cases)


def test_only_what_the_fakes_that_are_there_can_do_is_kept() -> None:
    some = load_mix(DEFAULT, fakes={"sam3": "http://127.0.0.1:1"})
    assert some.left_out == ("image-manipulator-status-recovers (needs --fake image_manipulator=URL)",)
    assert "sam3-job-failed-once, wait" in {case.name for case in some.cases}


def test_a_case_s_body_is_what_the_gateway_takes(tmp_path: Path) -> None:
    mix = load_mix(mix_file(tmp_path, "- {scenario: strokes-that-add, weight: 1}"), fakes=SERVICES)
    body = json.loads(mix.cases[0].body)
    assert base64.b64decode(body["originalImageBase64"])[:2] == b"\xff\xd8"
    assert body["brushStrokes"]
    assert body["maskPoints"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- {scenario: nowhere, weight: 1}", "does not exist: 'nowhere'"),
        ("- {scenario: near, weight: 0}", "entry 0.weight"),
        ("- {scenario: near, weight: 1, folow: poll}", "entry 0.folow"),
        ("- {scenario: azure-down, weight: 1}", "faults of blob"),
        ("[]", "is empty"),
        ("a: [", "is no YAML"),
    ],
)
def test_a_wrong_mix_says_what_is_wrong(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(MixError, match=message):
        load_mix(mix_file(tmp_path, text), fakes=SERVICES)


def test_the_load_generator_imports_no_temporal() -> None:
    """Locust runs on gevent, which must patch the standard library before anything else uses it."""
    modules = "loadtests.drive.tryon, loadtests.mix, loadtests.plan, fakes.kit.client"
    script = f"import sys, {modules}; print('temporalio' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_the_id_of_a_workflow_is_foreseen_as_the_gateway_makes_it() -> None:
    for name, workflow_id in (
        (None, "becab926-dd82-5edf-ad8a-2d9e02b1d429"),
        ("web", "2bc2a200-4a4b-559f-a714-7eb620fb936d"),
    ):
        assert plan.Plan(host="http://127.0.0.1:8000", api_key_name=name).workflow_id("key") == workflow_id


def test_faults_behind_an_api_key_need_its_name() -> None:
    asked = {"host": "http://127.0.0.1:8000", "api_key": "k" * 16, "fakes": {"a100": "http://127.0.0.1:8008"}}
    with pytest.raises(ValidationError, match="--api-key-name"):
        plan.Plan.model_validate(asked)
    assert plan.Plan.model_validate(asked | {"api_key_name": "web"})
