import os
import platform
import subprocess
import sys

import pytest

PHOTOS_IN_THREADS = """
import io, os
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from PIL import Image
from app.process.memory import give_back_freed_memory
from app.pictures.photo import accept, upright_jpeg

def now():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmRSS")).split()[1]) / 1024

if os.environ["GIVE_BACK"] == "yes":
    give_back_freed_memory()
out, turned = io.BytesIO(), Image.Exif()
turned[0x0112] = 6
Image.linear_gradient("L").resize((4000, 3000)).convert("RGB").save(out, "JPEG", exif=turned)
before = now()
with ThreadPoolExecutor(4) as threads:
    list(threads.map(lambda barrier: barrier.wait() and None, [Barrier(4)] * 4))  # so that there are four
    for _ in range(12):
        threads.submit(upright_jpeg, accept(out.getvalue())).result()
    print(now() - before)
"""


@pytest.mark.long("a dozen photos of twelve megapixels, twice")
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have rules of their own")
def test_a_worker_gives_back_what_photos_took_in_whichever_thread() -> None:
    grown = {}
    for answer in ("yes", "no"):
        environment = {**os.environ, "GIVE_BACK": answer}
        done = subprocess.run(
            [sys.executable, "-c", PHOTOS_IN_THREADS], env=environment, capture_output=True, check=True, timeout=120
        )
        grown[answer] = float(done.stdout)
    assert grown["yes"] < 30
    assert grown["no"] > 2 * grown["yes"]  # else the C library has learnt it, and nobody need tell it
