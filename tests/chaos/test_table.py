"""A few cells of the chaos table, with everything that the whole run does around them. `make chaos` runs them all."""

import base64

import pytest

from scenarios.chaos import outages
from scenarios.chaos.case import Case, StruckTryOn
from scenarios.chaos.command import table
from scenarios.chaos.runner import Outcome, run, settled
from scenarios.chaos.site import API_KEY, ChaosError, SpoiltError, StruckStack
from scenarios.chaos.table import CASES
from scenarios.pipeline import BY_NAME
from scenarios.stack.programs import ACCOUNT_KEY

FEW = (
    "worker killed (-9) / GENERATING_MASK",
    "gateway killed (-9) right after the start / UPLOADING_IMAGE",
    "every A100 down / GENERATING_IMAGES",
    "cancelled, service hangs / GENERATING_IMAGES",
    "cancelled, step about to end / CHECKING_ZOOM",
    "Azurite down for 3 s / UPLOADING_IMAGE",  # errors of the store would name what was asked of it
)

SECRETS = {
    "the storage account's key": ACCOUNT_KEY,
    "its bytes": base64.b64decode(ACCOUNT_KEY).decode(),
    "the signature of a SAS": "sig=",
    "an API key": API_KEY,
}


@pytest.mark.long("a whole stack, broken again and again")
@pytest.mark.asyncio(loop_scope="session")
async def test_nothing_is_lost_and_no_secret_gets_out(site: StruckStack) -> None:
    cases = [case for case in CASES if case.name in FEW]
    assert len(cases) == len(FEW)
    told: list[Outcome] = []
    outcomes = await run(site, cases, told.append)
    assert {outcome.case.name: outcome.why for outcome in outcomes} == dict.fromkeys(FEW, "")
    assert told == outcomes
    await settled(site)
    assert len(site.accepted) == sum(outcome.tries for outcome in outcomes)
    lines = table(outcomes, [])
    assert any("| worker killed (-9) | GENERATING_MASK | COMPLETED |" in line for line in lines)
    said = await everything_said(site)
    assert "jewelry-uploads" in "".join(said.values())  # payloads are really looked into
    for where, text in said.items():
        assert text, where
        for what, secret in SECRETS.items():
            assert secret not in text, f"{what} is in {where}"
    site.accepted.append("never-accepted")
    with pytest.raises(ChaosError, match="404"):
        await settled(site)


async def everything_said(site: StruckStack) -> dict[str, str]:
    """Everything that others can read: histories with memos, logs, errors, statuses, the API's description."""
    said = {}
    async for found in site.temporal.list_workflows():
        handle = site.temporal.get_workflow_handle(found.id)
        events = (await handle.fetch_history()).events  # as bytes: JSON would hold payloads in base64
        said[f"the history of {found.id}"] = b"".join(one.SerializeToString() for one in events).decode("latin-1")
        description = await handle.describe()
        said[f"the description of {found.id}"] = description.raw_description.SerializeToString().decode("latin-1")
        view = await site.view(found.id)
        said[f"the status of {found.id}"] = str(view | {"result": sorted(view.get("result", {}))})
    for log in site.stack.home.glob("*.log"):
        said[log.name] = log.read_text() or "nothing"
    for path in ("/openapi.json", "/workflow/none", "/health"):
        said[path] = (await site.gateway.http.get(path)).text
    refused = await site.gateway.http.post("/workflow/start", content=b"{}", headers={"X-API-Key": "wrong"})
    assert refused.status_code == 401
    said["a refusal"] = refused.text
    return said


@pytest.mark.long("a whole stack, broken again and again")
@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize(("spoilt", "why"), [(2, ""), (3, "the machine was too busy")])
async def test_a_fault_that_the_machine_spoils_is_tried_again_with_another_try_on(
    site: StruckStack, spoilt: int, why: str
) -> None:
    struck: list[str] = []

    async def strike(site: StruckStack, tryon: StruckTryOn) -> None:
        struck.append(await site.start(tryon.key))
        if len(struck) <= spoilt:
            raise SpoiltError("the machine was too busy")

    (outcome,) = await run(site, [Case(fault="none", step="RESIZING_IMAGE", strike=strike)], lambda _: None)
    assert outcome.why.startswith(why)
    assert bool(outcome.why) == bool(why)
    assert (outcome.tries, len(set(struck))) == (3, 3)
    assert "tried 3 times: the machine was too busy" in outcome.note


@pytest.mark.long("a whole stack, broken again and again")
@pytest.mark.asyncio(loop_scope="session")
async def test_a_store_that_comes_back_too_late_to_be_outlived_is_no_outage_of_three_seconds(
    site: StruckStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outages, "AZURITE_START_S", -3.0)
    monkeypatch.setattr(outages, "OUTLIVED_S", 5.0)
    case = Case(fault="Azurite late", step="UPLOADING_IMAGE", strike=outages.azurite_down(3))
    with pytest.raises(SpoiltError, match="not 3: the machine was too busy"):
        await case.strike(site, case.try_on("late"))
    await site.heal()


@pytest.mark.long("a whole stack, broken again and again")
@pytest.mark.asyncio(loop_scope="session")
async def test_the_gateway_has_no_control_plane(site: StruckStack) -> None:
    for path in ("/__sim/rules", "/__sim/ledger", "/__sim/health", "/__sim/reset"):
        assert (await site.gateway.http.get(path)).status_code == 404


def test_each_step_is_struck_and_each_name_is_one_of_a_kind() -> None:
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names)
    for fault in ("worker killed (-9)", "cancelled, service hangs"):
        assert {case.step for case in CASES if case.fault == fault} == set(BY_NAME)


def test_a_case_that_comes_out_wrong_is_named_as_wrong() -> None:
    case: Case = CASES[0]
    assert "**wrong**" in "".join(table([Outcome(case, 1, "", "lost")], []))
