"""What stands between browser and gateway: proxies, balancers, probes, and browsers' own rules."""

import asyncio
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest
from temporalio.client import Client

from app.process.environment import BadEnvironmentError, read_environment
from app.settings import Settings
from scenarios.stack.stack import Stack
from tests.app.gateway.conftest import Served, serving

pytestmark = pytest.mark.asyncio(loop_scope="session")

ROOT = Path(__file__).parents[3]
PROBED = ["/livez", "/readyz", "/health", "/docs", "/openapi.json"]


def preflight(origin: str) -> dict[str, str]:
    return {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Private-Network": "true",
    }


@pytest.mark.parametrize("path", ["/workflow/start", "/workflow/x/cancel", "/health"])
@pytest.mark.parametrize("origin", ["http://localhost:5173", "https://a.lovableproject.com"])
async def test_an_allowed_page_may_call_a_private_network(http: httpx.AsyncClient, origin: str, path: str) -> None:
    answer = await http.options(path, headers=preflight(origin))
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Private-Network"] == "true"
    assert answer.headers["Access-Control-Allow-Origin"] == origin


@pytest.mark.parametrize(
    "origin", ["https://evil.com", "null", "http://localhost.evil.com:80", "http://127.0.0.1:3000"]
)
async def test_no_other_page_may(http: httpx.AsyncClient, origin: str) -> None:
    answer = await http.options("/workflow/start", headers=preflight(origin))
    assert answer.status_code == 400
    assert "Access-Control-Allow-Private-Network" not in answer.headers
    assert "Access-Control-Allow-Origin" not in answer.headers


async def test_who_does_not_ask_for_it_is_not_told(http: httpx.AsyncClient) -> None:
    asked = preflight("http://localhost:5173")
    del asked["Access-Control-Request-Private-Network"]
    answer = await http.options("/workflow/start", headers=asked)
    assert (answer.status_code, "Access-Control-Allow-Private-Network" in answer.headers) == (200, False)


# ---------------------------------------------------------------- probes
@pytest.mark.parametrize("path", PROBED)
async def test_head_is_get_without_its_body(http: httpx.AsyncClient, path: str) -> None:
    head, get = await http.head(path), await http.get(path)
    assert (head.status_code, get.status_code) == (200, 200)
    assert head.content == b""
    assert head.headers["content-type"] == get.headers["content-type"]
    assert (await http.get("/livez")).json() == {"status": "alive"}  # on the same connection: nothing is left over


async def test_head_of_readyz_fails_as_get_does(settings: Settings) -> None:
    nowhere = await Client.connect("127.0.0.1:9", lazy=True)
    async with serving(settings, nowhere) as served:
        assert (await served.http.head("/readyz")).status_code == 503


@pytest.mark.parametrize("path", ["/workflow/start", "/workflow/x", "/workflow/x/events"])
async def test_the_rest_has_no_head(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.head(path)
    assert (answer.status_code, answer.content) == (405, b"")


# ---------------------------------------------------------------- a slash too many
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/workflow/start/"),
        ("GET", "/workflow/x/"),
        ("GET", "/workflow/x/events/"),
        ("POST", "/workflow/x/cancel/"),
        ("GET", "/livez/"),
        ("GET", "/health/?a=b"),
        ("GET", "/docs/"),
        ("GET", "//livez"),
    ],
)
async def test_a_trailing_slash_never_redirects(http: httpx.AsyncClient, method: str, path: str) -> None:
    answer = await http.request(method, str(http.base_url).rstrip("/") + path, headers={"X-Forwarded-Proto": "https"})
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "NOT_FOUND"
    assert "location" not in answer.headers


# ---------------------------------------------------------------- idle connections
async def test_an_idle_connection_is_kept_as_long_as_the_setting_says(settings: Settings, client: Client) -> None:
    patient = settings.model_copy(update={"keep_alive_s": 1})
    async with serving(patient, client) as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        for _ in range(2):  # one that is used is kept
            writer.write(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b"200" in await asyncio.wait_for(reader.readuntil(b"alive"), 5)
        began = asyncio.get_running_loop().time()
        await asyncio.wait_for(reader.read(), 5)
        assert asyncio.get_running_loop().time() - began > 0.9
        writer.close()


async def test_it_may_be_longer_than_any_balancer_keeps_one() -> None:
    page = (ROOT / "docs/operations.md").read_text()
    assert "KEEP_ALIVE_S=620" in page
    told = [int(number) for number in re.findall(r"KEEP_ALIVE_S=(\d+)", page)]
    assert max(told) > 600


# ---------------------------------------------------------------- whose address it is
@pytest.fixture
def environment(stack: Stack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    monkeypatch.chdir(tmp_path)  # no .env
    for name, value in stack.environment.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


EVERYBODY = ["*", " * ", "127.0.0.1,*", "0.0.0.0/0", "::/0", "10.0.0.0/8, 0.0.0.0/0", "0.0.0.0/1,128.0.0.0/1"]


@pytest.mark.parametrize("proxies", EVERYBODY)
async def test_a_limit_by_addresses_that_everybody_names_is_refused(
    environment: pytest.MonkeyPatch, proxies: str
) -> None:
    environment.setenv("FORWARDED_ALLOW_IPS", proxies)
    read_environment()
    environment.setenv("START_LIMIT_PER_MINUTE", "5")
    with pytest.raises(BadEnvironmentError, match=r"START_LIMIT_PER_MINUTE.*FORWARDED_ALLOW_IPS"):
        read_environment()
    environment.setenv("API_KEYS", "web:0123456789abcdef")  # then it counts by keys
    read_environment()


@pytest.mark.parametrize("proxies", ["127.0.0.1", "10.0.0.0/8,192.168.0.0/16", "fd00::/8", "proxy", ""])
async def test_a_limit_behind_named_proxies_is_fine(environment: pytest.MonkeyPatch, proxies: str) -> None:
    environment.setenv("FORWARDED_ALLOW_IPS", proxies)
    environment.setenv("START_LIMIT_PER_MINUTE", "5")
    read_environment()


async def test_the_gateway_does_not_start_with_it(stack: Stack, tmp_path: Path) -> None:
    wrong = {"FORWARDED_ALLOW_IPS": "*", "START_LIMIT_PER_MINUTE": "5", "PYTHONPATH": str(ROOT)}
    ended = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "app.gateway"],
        env={**stack.environment, **wrong},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 2
    assert "START_LIMIT_PER_MINUTE" in ended.stderr
    assert "Traceback" not in ended.stderr


# ---------------------------------------------------------------- the page
class Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.to: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.to += [value or "" for name, value in attrs if name in {"src", "href"}]


async def test_the_page_describes_the_api_and_loads_nothing(gateway: Served) -> None:
    answer = await gateway.http.get("/docs")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    document = (await gateway.http.get("/openapi.json")).json()
    links = Links()
    links.feed(answer.text)
    assert not {"script", "iframe", "img", "object"} & links.tags
    assert all(re.match(r"#|openapi\.json$|data:", to) for to in links.to)
    for path, methods in document["paths"].items():
        assert all(f"{method.upper()} {path}" in answer.text for method in methods)
    assert [name for name in document["components"]["schemas"] if f'id="{name}"' not in answer.text] == []
    inside = {to.removeprefix("#") for to in links.to if to.startswith("#")}
    assert [name for name in inside if f'id="{name}"' not in answer.text] == []
