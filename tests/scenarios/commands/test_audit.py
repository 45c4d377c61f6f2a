"""`make audit` with the real pip-audit and npm, against databases that know something, know nothing, and are away."""

import gzip
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from scenarios.commands.audit import REQUIREMENTS, main

HASH = "0" * 64
AWAY = "http://127.0.0.1:1"


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    """Two small lists, one of each kind."""
    (tmp_path / "app.txt").write_text(f"pillow==1.0 \\\n    --hash=sha256:{HASH}\n")
    lock = {
        "name": "tools",
        "lockfileVersion": 3,
        "packages": {
            "": {"name": "tools", "dependencies": {"left-pad": "1.0.0"}},
            "node_modules/left-pad": {"version": "1.0.0"},
        },
    }
    (tmp_path / "node").mkdir()
    (tmp_path / "node" / "package.json").write_text(json.dumps(lock["packages"][""]))  # type: ignore[index]
    (tmp_path / "node" / "package-lock.json").write_text(json.dumps(lock))
    return tmp_path


class Databases(BaseHTTPRequestHandler):
    """OSV's and npm's database on one address. Each says what the paths' answers are."""

    answers: dict[str, Any]

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers["Content-Length"]))
        asked = json.loads(gzip.decompress(sent) if self.headers.get("Content-Encoding") == "gzip" else sent)
        name = asked["package"]["name"] if "package" in asked else next(iter(asked))
        self._answer(200, self.answers.get(name, {}))

    def do_GET(self) -> None:
        self._answer(404, {})

    def _answer(self, status: int, body: Any) -> None:
        data = json.dumps(body).encode()
        self.send_response(status if "broken" not in self.path else 500)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def databases(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(Databases, "answers", {}, raising=False)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Databases)
    thread = Thread(target=server.serve_forever)
    thread.start()
    address = f"http://127.0.0.1:{server.server_address[1]}"
    monkeypatch.setenv("npm_config_registry", address)
    yield address
    server.shutdown()
    server.server_close()
    thread.join()


def test_every_list_is_asked_about() -> None:
    asked = {*REQUIREMENTS.glob("*.txt"), *REQUIREMENTS.glob("*/package-lock.json")}
    pinned = {path for path in REQUIREMENTS.rglob("*") if path.is_file() and path.name != "package.json"}
    assert asked == {path for path in pinned if path.suffix != ".in"}
    assert len(asked) == 8


def test_nothing_known_is_said_of_each_list(lists: Path, databases: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([f"--lists={lists}", f"--osv-url={databases}"]) == 0
    assert capsys.readouterr().out.splitlines() == ["app.txt: nothing known", "node/package-lock.json: nothing known"]


def test_a_known_weakness_is_named_with_its_package_and_ends_with_1(
    lists: Path, databases: str, capsys: pytest.CaptureFixture[str]
) -> None:
    events = [{"introduced": "0"}, {"fixed": "2.0"}]
    affected = {"package": {"name": "pillow", "ecosystem": "PyPI"}, "ranges": [{"type": "ECOSYSTEM", "events": events}]}
    pad = {"id": 7, "url": "http://x.test/7", "title": "pads too far", "severity": "high", "vulnerable_versions": "<2"}
    Databases.answers = {
        "pillow": {"vulns": [{"id": "GHSA-1", "summary": "reads too far", "affected": [affected]}]},
        "left-pad": {"left-pad": [pad]},
    }
    assert main([f"--lists={lists}", f"--osv-url={databases}"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "app.txt: 1 known",
        "  pillow 1.0: GHSA-1, mended in 2.0: reads too far",
        "node/package-lock.json: 1 known",
        "  left-pad <2: high, http://x.test/7: pads too far",
    ]


@pytest.mark.parametrize(
    ("path", "causes"), [(None, ("Connection refused", "ECONNREFUSED")), ("/broken", ("500 Server Error", "500"))]
)
def test_a_database_that_gives_no_answer_ends_with_2_and_its_cause(
    path: str | None, causes: tuple[str, str], lists: Path, databases: str, capsys: pytest.CaptureFixture[str]
) -> None:
    address = f"{databases}{path}" if path else AWAY
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("npm_config_registry", address)
        assert main([f"--lists={lists}", f"--osv-url={address}"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    for line, name, cause in zip(said.err.splitlines(), ("app.txt", "node/package-lock.json"), causes, strict=True):
        assert line.startswith(f"make audit: {name}: the advisory database cannot be asked: ")
        assert cause in line
