import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from app.process.logging import configure_logging
from app.settings import Settings


def settings(**changes: object) -> Settings:
    values: dict[str, object] = {
        "azure_account_name": "account",
        "azure_account_key": "YS1zZWNyZXQta2V5",
        "azure_blob_endpoint": "http://127.0.0.1:1/account",
        "image_manipulator_url": "http://127.0.0.1:2",
        "birefnet_url": "http://127.0.0.1:3",
        "sam3_url": "http://127.0.0.1:4",
        "a100_urls": "http://127.0.0.1:5",
    }
    return Settings.model_validate(values | changes)


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_a_line_of_json_carries_what_was_bound(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(settings())
    with structlog.contextvars.bound_contextvars(workflow_id="w-1"):
        structlog.get_logger("app.part").info("it happened", step="RESIZING_IMAGE")
        logging.getLogger("uvicorn.error").info("a library's %s", "line")
    first, second = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (first["event"], first["level"], first["logger"]) == ("it happened", "info", "app.part")
    assert (first["workflow_id"], first["step"]) == ("w-1", "RESIZING_IMAGE")
    assert first["timestamp"].endswith("Z")
    assert (second["event"], second["workflow_id"]) == ("a library's line", "w-1")


def test_an_exception_is_one_line_and_signatures_are_blanked(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(settings())
    try:
        int("GET http://blobs/x?sp=r&sig=c2VjcmV0%3D&se=1 broke")
    except ValueError:
        structlog.get_logger("app").exception("failed")
    (line,) = capsys.readouterr().err.splitlines()
    assert "c2VjcmV0" not in line
    assert "sig=***&se=1 broke" in json.loads(line)["exception"]


@pytest.mark.parametrize("ours", [True, False])
def test_signatures_are_blanked_wherever_they_stand(capsys: pytest.CaptureFixture[str], *, ours: bool) -> None:
    configure_logging(settings())
    signed = 'said "http://blobs/x?SIG=c2VjcmV0%3D", é'
    if ours:
        structlog.get_logger("app").info("tried", urls=[signed], by={"url": signed})
    else:
        logging.getLogger("a.library").info(signed)
    (line,) = capsys.readouterr().err.splitlines()
    assert "c2VjcmV0" not in line
    event = json.loads(line)
    for shown in (event["urls"][0], event["by"]["url"]) if ours else (event["event"],):
        assert shown == 'said "http://blobs/x?sig=***", é'


def test_a_traceback_for_a_person_shows_no_local_variables(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(settings(log_format="console"))
    secret = "a-local-" + "secret"
    try:
        int(f"sig={secret}")
    except ValueError:
        structlog.get_logger("app").exception("failed")
    shown = capsys.readouterr().err
    assert "ValueError" in shown
    assert secret not in shown


def test_level_and_chatty_libraries(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(settings(log_level="INFO", log_format="console"))
    structlog.get_logger("app").debug("too fine")
    logging.getLogger("azure.core.pipeline.policies.http_logging_policy").info("Request URL")
    logging.getLogger("httpx").info("HTTP Request")
    structlog.get_logger("app").info("shown", port=8000)
    (line,) = capsys.readouterr().err.splitlines()
    assert "shown" in line
    assert "port=8000" in line
