import pytest

from app.temporal import connect


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
