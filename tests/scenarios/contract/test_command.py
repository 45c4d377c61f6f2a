from pathlib import Path

import pytest

from scenarios.contract.command import addresses, main
from scenarios.pipeline import VARIABLES


def test_addresses_come_from_the_variables_of_the_pipeline() -> None:
    environment = {"A100_URLS": "http://a:1, http://b:2/", "SAM3_URL": "", "BIREFNET_URL": "http://c:3"}
    assert addresses(environment) == [("birefnet", "http://c:3"), ("a100", "http://a:1"), ("a100", "http://b:2")]


def test_a_deviation_is_the_exit_code_1(
    azurite: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in azurite.items():
        monkeypatch.setenv(name.upper(), value)
    for variable in VARIABLES.values():
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("SAM3_URL", "http://sam3.invalid")
    assert main([]) == 1
    assert "1 lines of the contract: 1 deviates" in capsys.readouterr().out


def test_without_a_blob_store_the_command_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("AZURE_ACCOUNT_KEY", "AZURE_BLOB_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("A100_URLS", "http://127.0.0.1:1")
    assert main([]) == 2
    assert "set AZURE_ACCOUNT_KEY and AZURE_BLOB_ENDPOINT" in capsys.readouterr().err
