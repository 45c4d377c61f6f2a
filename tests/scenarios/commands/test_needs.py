"""What a command needs of the system and does not find: it says which package has it, in a line, and ends with 2."""

from collections.abc import Callable, Sequence

import pytest

from scenarios.compose import command as compose
from scenarios.console import pictures


@pytest.mark.parametrize(
    ("main", "said"),
    [
        (pictures.main, "make pictures: Chromium is needed: apt-get install chromium, or CHROMIUM=/path/to/it"),
        (compose.main, "make test-compose: System package: docker.io"),
    ],
    ids=["pictures", "test-compose"],
)
def test_a_missing_system_package_is_named(
    main: Callable[[Sequence[str]], int], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("CHROMIUM", raising=False)
    assert main([]) == 2
    assert said in capsys.readouterr().err
