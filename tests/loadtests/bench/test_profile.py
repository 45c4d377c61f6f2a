"""What a profile's samples are counted for."""

from pathlib import Path

from loadtests.bench.profile import LOOP, ROOT, shares

RUN = f"<module> ({ROOT}/app/worker.py:90);run (/usr/lib/python3.11/asyncio/runners.py:118)"
PUT = f"put ({ROOT}/app/services/blob.py:120)"
UPLOAD = "upload (/venv/lib/python3.11/site-packages/azure/storage/blob/aio/_client.py:5)"
FOLDED = f"""\
{RUN} 5
{RUN};{PUT};{UPLOAD};loads (/usr/lib/python3.11/json/__init__.py:346) 3
{RUN};{PUT};dumps (/usr/lib/python3.11/json/__init__.py:238) 2
{RUN};{PUT};{PUT};encode (<frozen codecs>) 1
a line that is no stack of frames 4
"""


def test_a_sample_is_its_innermost_package_s_and_counts_once_for_a_function(tmp_path: Path) -> None:
    file = tmp_path / "worker.folded"
    file.write_text(FOLDED)
    packages, functions = shares(file)
    assert packages == {LOOP: 9, "azure": 3, "app": 3}
    assert functions == {"put (app/services/blob.py)": 6}
