"""The control plane's clients: both say the same, errors are readable, and the blocking one works under gevent."""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from fakes.kit.client import AsyncControl, Control, ControlError
from tests.fakes.kit.conftest import Toy, serve_toy

RULE = {"id": "busy", "expect": True, "fault": {"kind": "status", "status": 503}}


async def test_the_blocking_client(toy: Toy) -> None:
    def story() -> None:
        with Control(toy.url) as control:
            with control.rules_during(RULE) as ids:
                assert ids == ["busy"]
                assert control.rules()[0]["acts_on"] == ["echo", "item", "nothing", "plain", "tell"]
                assert control.verdict()["verdict"] == "inconclusive"
                assert control.near_misses("busy") == []
            assert control.rules() == []
            assert control.ledger(key="nobody", operation="plain") == []
            assert control.set_profile({"latency": {"plain": 1}})["latency"]["plain"]["fixed"] == 1
            assert control.profile()["name"] == "custom"
            control.reset()
            assert control.health()["profile"] == "instant"

    await asyncio.to_thread(story)


async def test_both_clients_have_the_same_methods() -> None:
    def methods(client: type) -> set[str]:
        return {name for name in vars(client) if not name.startswith("_")}

    assert methods(Control) == methods(AsyncControl)


async def test_a_bad_rule_is_an_error_that_names_its_fields(toy: Toy) -> None:
    with pytest.raises(ControlError, match=r"422: rule busy: fault\.status: .*; rule busy: p: "):
        await toy.control.add(RULE | {"p": 3, "fault": {"kind": "status"}})


@pytest.mark.parametrize("ask", [lambda control: control.rules(), lambda control: control.health()])
async def test_nobody_there(ask: Callable[[AsyncControl], Any]) -> None:
    async with AsyncControl("http://127.0.0.1:1") as control:
        with pytest.raises(
            ControlError, match=r"no control plane at http://127\.0\.0\.1:1 nor http://127\.0\.0\.1:10001"
        ):
            await ask(control)


async def test_a_profile_names_operations_of_the_service(toy: Toy) -> None:
    before = await toy.control.profile()
    with pytest.raises(
        ControlError, match=r"422: rule profile: latency\.generat: toy has no 'generat', only plain, echo"
    ):
        await toy.control.set_profile({"latency": {"generat": 5, "echo": 1}})
    assert await toy.control.profile() == before


@pytest.mark.parametrize("path", ["/__sim/rules", "/__sim/reset"])
@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Host": "evil.example:8008"}]
)
async def test_a_page_of_a_browser_cannot_steer(toy: Toy, path: str, headers: dict[str, str]) -> None:
    await toy.control.add(RULE)
    async with httpx.AsyncClient(base_url=toy.url, trust_env=False) as http:
        answer = await http.post(path, content="[]", headers={"Content-Type": "text/plain"} | headers)
        assert answer.status_code == 403
        assert any(value in answer.json()["detail"] for value in headers.values())
        assert (await http.get("/plain", headers=headers)).status_code == 503, (
            "by the rule: the service itself is for everybody"
        )
    assert [rule["id"] for rule in await toy.control.rules()] == ["busy"]


async def test_in_a_container_any_name_may_lead_to_it() -> None:
    async with serve_toy(sim_control_open=True) as toy, httpx.AsyncClient(base_url=toy.url, trust_env=False) as http:
        assert (await http.get("/__sim/rules", headers={"Host": "a100:8008"})).status_code == 200
        elsewhere = {"Host": "a100:8008", "Origin": "https://evil.example"}
        assert (await http.get("/__sim/rules", headers=elsewhere)).status_code == 403


PROXIES = ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")


async def test_neither_client_goes_through_a_proxy_of_the_environment(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in PROXIES:
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    def ask() -> Any:
        with Control(toy.url) as control:
            return control.health()["service"]

    assert await asyncio.to_thread(ask) == "toy"
    async with AsyncControl(toy.url) as control:
        assert (await control.health())["service"] == "toy"


async def test_it_reaches_a_service_that_refuses(toy: Toy) -> None:
    await toy.control.add({"fault": {"kind": "refuse"}})
    assert (await toy.control.health())["refusing"] is True
    await toy.control.reset()
    assert (await toy.control.health())["refusing"] is False


async def test_the_blocking_client_under_gevent(toy: Toy) -> None:
    story = """
        from gevent import monkey; monkey.patch_all()
        import gevent
        from fakes.kit.client import Control
        control = Control({url!r})
        control.add({{"key": "a", "fault": {{"kind": "hang"}}}})
        greenlets = [gevent.spawn(control.health) for _ in range(20)]
        gevent.joinall(greenlets, timeout=20, raise_error=True)
        print(sum(greenlet.value["rules"] for greenlet in greenlets))
    """
    words = "\n".join(line[8:] for line in story.format(url=toy.url).splitlines())
    run = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", words], capture_output=True, text=True, timeout=60
    )
    assert (run.stdout, run.returncode) == ("20\n", 0), run.stderr
