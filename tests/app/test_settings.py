"""What a deployment says, and what it is told when it says it wrong."""

import re
from pathlib import Path
from typing import Any

import pytest
from dotenv import dotenv_values
from pydantic import ValidationError

from app.settings import Settings, explain
from scenarios.stack import programs
from scenarios.stack.ports import Ports

EXAMPLE = Path(__file__).parents[2] / ".env.example"
SDKS = ("TEMPORAL_", "OTEL_", "HTTP_", "HTTPS_", "NO_", "SSL_")  # the SDKs' own variables are documented beside ours
GOOD = {
    "azure_account_name": "jewelrytryon",
    "azure_account_key": "c2VjcmV0",
    "azure_blob_endpoint": "http://127.0.0.1:10000/jewelrytryon",
    "image_manipulator_url": "http://127.0.0.1:8005/",
    "birefnet_url": "http://127.0.0.1:8006",
    "sam3_url": "http://127.0.0.1:8007",
    "a100_urls": "http://127.0.0.1:8008, http://127.0.0.1:8009",
}


def test_every_variable_is_in_the_example_and_the_example_has_no_other() -> None:
    documented = set(re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=", EXAMPLE.read_text(), re.MULTILINE))
    ours = {name for name in documented if not name.startswith(SDKS)}
    assert ours == {name.upper() for name in Settings.model_fields}


def test_no_address_of_the_internet_is_a_default_or_uncommented() -> None:
    values = re.findall(r"^[A-Z0-9_]+=(.*)$", EXAMPLE.read_text(), re.MULTILINE)
    assert all("127.0.0.1" in value for value in values if "://" in value)
    assert not [field for field in Settings.model_fields.values() if "://" in str(field.default)]


def test_a_copy_of_the_example_fits_the_stack_of_make_up() -> None:
    example, stack = dotenv_values(EXAMPLE), programs.shared_environment(Ports(), programs.Options())
    assert {name.upper() for name, field in Settings.model_fields.items() if field.is_required()} <= example.keys()
    both = (example.keys() & stack.keys()) - {"WORKER_DRAIN_S"}  # that stack's worker stops when its developer does
    assert {"TEMPORAL_ADDRESS", "TASK_QUEUE", "AZURE_ACCOUNT_KEY"} <= both
    assert {name: example[name] for name in both} == {name: stack[name] for name in both}


def test_what_is_missing_is_said_with_a_way_to_begin() -> None:
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate({"a100_urls": ""})
    assert "a copy of it as .env fits the stack of `make up`" in explain(caught.value).splitlines()[0]


def test_addresses_lose_their_last_slash_and_lists_are_split() -> None:
    settings = Settings.model_validate(GOOD)
    assert settings.image_manipulator_url == "http://127.0.0.1:8005"
    assert settings.a100_urls == ("http://127.0.0.1:8008", "http://127.0.0.1:8009")


def test_what_is_missing_is_named_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("A100_URLS", "ftp://secret.test")
    with pytest.raises(ValidationError) as caught:
        Settings()
    said = explain(caught.value)
    for name in ("AZURE_ACCOUNT_NAME", "AZURE_ACCOUNT_KEY", "AZURE_BLOB_ENDPOINT", "BIREFNET_URL", "A100_URLS"):
        assert f"  {name}: " in said
    assert "secret" not in said


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_a_variable_that_is_set_to_nothing_is_one_that_is_not_set(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for other in Settings.model_fields:
        monkeypatch.delenv(other.upper(), raising=False)
    for other, value in GOOD.items():
        monkeypatch.setenv(other.upper(), value)
    monkeypatch.setenv(name.upper(), "")
    field = Settings.model_fields[name]
    if name == "azure_account_key":
        with pytest.raises(ValidationError, match="open the store: say it, or one"):
            Settings()
    elif field.is_required():
        with pytest.raises(ValidationError) as caught:
            Settings()
        assert explain(caught.value).splitlines()[1:] == [f"  {name.upper()}: Field required"]
    else:
        assert getattr(Settings(), name) == field.default


def test_the_key_is_not_shown() -> None:
    assert GOOD["azure_account_key"] not in repr(Settings.model_validate(GOOD))


SAS = "sv=2025-11-05&sr=c&sp=rcw&sig=c2VjcmV0%2Bc2Vjc%2FmV0%3D"


@pytest.mark.parametrize(
    ("told", "opens"),
    [
        ({}, "the account's key"),
        ({"azure_account_key": None, "azure_sas_token": SAS}, "a SAS"),
        ({"azure_account_key": None, "azure_sas_token": f" ?{SAS}"}, "a SAS"),
        ({"azure_account_key": None, "azure_identity": "true", "azure_blob_endpoint": "https://a.test"}, "an identity"),
    ],
)
def test_a_key_a_sas_or_an_identity_opens_the_store(told: dict[str, Any], opens: str) -> None:
    settings = Settings.model_validate(GOOD | told)
    assert settings.opens_azure == opens
    assert "c2VjcmV0c2VjcmV0" not in repr(settings)
    if settings.azure_sas_token:
        assert settings.azure_sas_token.get_secret_value() == SAS


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"azure_account_key": None}, "say it, or one of the others"),
        ({"azure_sas_token": SAS}, "say one of them alone"),
        ({"azure_identity": "true", "azure_blob_endpoint": "https://a.test"}, "say one of them alone"),
        ({"azure_account_key": None, "azure_sas_token": "sv=2025"}, "AZURE_SAS_TOKEN: Value error, is no SAS token"),
        ({"azure_account_key": None, "azure_identity": "true"}, "AZURE_BLOB_ENDPOINT: Value error, must be an https"),
    ],
)
def test_what_cannot_open_the_store_is_refused_by_its_variable(told: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate(GOOD | told)
    said = explain(caught.value)
    assert says in said
    assert "c2VjcmV0" not in said


@pytest.mark.parametrize("key", ["abcde", "not base64!", "c2VjcmV", "YWJj ZGVm"])
def test_a_key_that_can_sign_nothing_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate(GOOD | {"azure_account_key": key})
    said = explain(caught.value)
    assert "  AZURE_ACCOUNT_KEY: Value error, is no base64" in said
    assert key not in said


@pytest.mark.parametrize("field", ["image_manipulator_url", "azure_blob_endpoint", "a100_urls"])
@pytest.mark.parametrize("address", ["http://host:99999", "http://host:port", "http://[::1", "http://", "host:8005"])
def test_an_address_that_cannot_be_called_is_refused(field: str, address: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate(GOOD | {field: address})
    assert f"  {field.upper()}: Value error, must be an http or https address such as" in explain(caught.value)


SECONDS = [name for name in Settings.model_fields if name.endswith("_s")]


@pytest.mark.parametrize("name", [*SECONDS, "max_body_mb"])
@pytest.mark.parametrize("value", ["inf", "nan"])
def test_a_limit_that_is_none_is_refused(name: str, value: str) -> None:
    with pytest.raises(ValidationError, match=name):
        Settings.model_validate(GOOD | {name: value})
