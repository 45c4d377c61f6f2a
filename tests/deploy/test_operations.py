import re
from pathlib import Path

import app.gateway.api.errors
from app.errors import error_classes
from app.settings import Settings

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "operations.md").read_text()
RUNBOOK = TEXT.partition("\n## Runbook\n")[2]
CODE = re.compile(r"`([A-Z0-9_]+)`")
NOT_OURS = {
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE"),  # of every program that speaks HTTP
    *("AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_TENANT_ID"),  # azure-identity's
}


def test_the_runbook_has_an_entry_for_each_error_code_and_no_other() -> None:
    headings = re.findall(r"^### (.+)$", RUNBOOK, re.MULTILINE)
    written = [code for heading in headings for code in CODE.findall(heading)]
    assert len(written) == len(set(written))
    codes = {error.code for error in error_classes() if error.__module__.startswith("app.")}
    assert app.gateway.api.errors  # its errors are in the tree once it is imported
    assert set(written) == codes


def test_each_entry_says_something() -> None:
    entries = re.split(r"^### .+$", RUNBOOK, flags=re.MULTILINE)[1:]
    assert all(len(entry.split()) > 10 for entry in entries)


def test_what_to_do_about_a_try_on_that_failed_begins_with_making_a_scenario_of_it() -> None:
    entries = dict(re.findall(r"^### (.+)\n(.+)$", RUNBOOK, re.MULTILINE))
    outside = {"WORKFLOW_TERMINATED", "WORKFLOW_TIMED_OUT"}  # no service did that, and the command says so
    failed = {error.code for error in error_classes() if error.steps} - outside
    begin = {heading for heading, text in entries.items() if text.startswith("`make scenario-from WORKFLOW=id`")}
    assert failed == {code for heading in begin for code in CODE.findall(heading) if code != "INVALID_REQUEST"}


def test_every_variable_that_it_names_exists() -> None:
    named = {name for name in CODE.findall(TEXT) if "_" in name}
    codes = {error.code for error in error_classes()}
    variables = {name for name in named - codes - NOT_OURS if not name.startswith("TEMPORAL_")}
    assert variables
    assert {name for name in variables if name.lower() not in Settings.model_fields} == set()


def test_the_doctors_output_in_it_is_what_the_doctor_says() -> None:
    words = "\n".join((ROOT / "app" / "doctor" / name).read_text() for name in ("checks.py", "findings.py"))
    for said in (
        "resize and zoom_check answer as the pipeline needs",
        "Everything that a try-on needs answers.",
        "Not real: ",
    ):
        assert said in TEXT
        assert said in words
