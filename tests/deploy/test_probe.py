import http.server
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

PROBE = Path(__file__).parents[2] / "deploy" / "probe.py"


def probe(*words: str, **environment: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, str(PROBE), *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=os.environ | environment,
    )
    return done.returncode, done.stderr.strip()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    class Answers(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/good" else 503)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_good_answer_passes_and_the_port_may_be_a_variable(port: int) -> None:
    assert probe("http", str(port), "/good") == (0, "")
    assert probe("http", "GATEWAY_PORT", "/good", GATEWAY_PORT=str(port)) == (0, "")


def test_a_bad_answer_and_none_at_all_fail_with_a_line(port: int) -> None:
    assert probe("http", str(port), "/bad") == (1, "/bad answered 503")
    code, said = probe("http", "1", "/")
    assert code == 1
    assert said.startswith("port 1 does not answer")


def test_a_file_passes_while_it_is_fresh(tmp_path: Path) -> None:
    file = tmp_path / "alive"
    code, said = probe("file", str(file), "30")
    assert code == 1
    assert "No such file" in said
    file.touch()
    assert probe("file", str(file), "30") == (0, "")
    os.utime(file, (1, 1))
    code, said = probe("file", str(file), "30")
    assert code == 1
    assert "was last touched" in said


def test_other_words_are_answered_with_the_help() -> None:
    code, said = probe("ping")
    assert code == 2
    assert "probe http PORT PATH" in said
