"""What a profile's samples are counted for."""

from pathlib import Path

from loadtests.bench.profile import LOOP, shares

RUN = "<module> (app/worker/__main__.py:90);run (asyncio/runners.py:118)"
FOLDED = f"""\
{RUN} 5
{RUN};put (app/services/blob.py:120);upload (azure/storage/blob/aio/_client.py:5);loads (json/__init__.py:346) 3
{RUN};put (app/services/blob.py:121);dumps (json/__init__.py:238) 2
{RUN};put (app/services/blob.py:121);put (app/services/blob.py:130);encode (<frozen codecs>) 1
a line that is no stack of frames 4
"""


def test_a_sample_is_its_innermost_package_s_and_counts_once_for_a_function(tmp_path: Path) -> None:
    file = tmp_path / "worker.folded"
    file.write_text(FOLDED)
    packages, functions = shares(file)
    assert packages == {LOOP: 9, "azure": 3, "app": 3}
    assert functions == {"put (app/services/blob.py)": 6}
