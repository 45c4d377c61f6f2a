import re
from pathlib import Path

import pytest

from app.process.environment import BadEnvironmentError, read_environment
from app.process.temporal import connect
from app.settings import Settings


@pytest.fixture(autouse=True)
def no_temporal_of_the_users_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("TEMPORAL_ADDRESS", "temporal.test:7233")
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "tryon.test")


async def test_the_environment_names_the_server() -> None:
    client = await connect(lazy=True)
    assert client.service_client.config.target_host == "temporal.test:7233"
    assert client.namespace == "tryon.test"


async def test_an_api_key_brings_tls_and_an_empty_one_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_API_KEY", "a key")
    assert (await connect(lazy=True)).service_client.config.tls
    monkeypatch.setenv("TEMPORAL_API_KEY", "")
    assert not (await connect(lazy=True)).service_client.config.tls


async def test_without_an_address_a_developers_own_server_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEMPORAL_ADDRESS")
    assert (await connect(lazy=True)).service_client.config.target_host == "127.0.0.1:7233"


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"TEMPORAL_ADDRESS": "temporal.test"}, "TEMPORAL_ADDRESS must be HOST:PORT such as 127.0.0.1:7233"),
        ({"TEMPORAL_ADDRESS": "temporal.test:72330"}, "TEMPORAL_ADDRESS must be HOST:PORT"),
        ({"TEMPORAL_ADDRESS": "https://temporal.test:7233"}, "TEMPORAL_ADDRESS must be HOST:PORT"),
        ({"TEMPORAL_TLS_CLIENT_CERT_PATH": "/no/such.pem"}, "No such file or directory: '/no/such.pem'"),
        ({"TEMPORAL_TLS_CLIENT_CERT_PATH": __file__}, "one is there without the other"),
        ({"TEMPORAL_TLS_CLIENT_KEY_DATA": "a key"}, "one is there without the other"),
        ({"TEMPORAL_CONFIG_FILE": __file__}, "Configuration loading error"),
        ({"TEMPORAL_PROFILE": "nobody-s"}, "Profile 'nobody-s' not found"),
    ],
)
def test_a_configuration_of_no_use_is_said_before_anything_starts(
    changed: dict[str, str], says: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, field in Settings.model_fields.items():
        if field.is_required():
            monkeypatch.setenv(name.upper(), "http://127.0.0.1:1")
    monkeypatch.setenv("AZURE_ACCOUNT_KEY", "a2V5")
    assert read_environment()
    for variable, value in changed.items():
        monkeypatch.setenv(variable, value)
    with pytest.raises(BadEnvironmentError, match=re.escape(says)) as caught:
        read_environment()
    assert str(caught.value).startswith("Temporal's configuration is of no use: ")
