"""`make profile`: where the CPU of worker and gateway goes, by py-spy, with fakes that answer at once.

Samples are of the thread that holds the interpreter's lock: what waits, and what Rust does beside, is not in them. One
belongs to the package of its innermost frame that is not of the standard library: json.loads in the Azure SDK is the
SDK's. A second table says which of the application's functions were on the stack, with what they called.
"""

import argparse
import asyncio
import json
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from matplotlib.figure import Figure

from fakes.pictures import portrait
from loadtests.bench.batches import batch
from scenarios.gateway_client import PATIENCE_S, STROKES, GatewayClient, start_body
from scenarios.processes.signals import ended_in_order, until_signalled
from scenarios.stack.programs import Options
from scenarios.stack.stack import Stack
from scenarios.stories.drawn import FAR

PROCESSES = ("worker", "gateway")
RATE = 200
"""Samples a second."""
ATTACH_S = 30
SHOWN = 8
ENTRANCES = frozenset({"app/worker.py", "app/gateway/__main__.py"})
"""What runs the event loops: always on the stack."""
LOOP = "event loop, sockets"
ROOT = Path(__file__).resolve().parents[2]
_FRAME = re.compile(r"(?P<function>.+) \((?P<file>[^():]+)(?::\d+)?\)$")


@contextmanager
def sampled(pid: int, file: Path) -> Iterator[None]:
    """Sample a process into a file of folded stacks until the context ends.

    Raises:
        RuntimeError: py-spy may not look into the process.
    """
    spy = Path(sys.executable).with_name("py-spy")
    record = [str(spy), "record", "--pid", str(pid), "--rate", str(RATE), "--duration", "unlimited"]
    form = ["--gil", "--full-filenames", "--format", "raw", "--output", str(file)]
    log = file.with_suffix(".log")
    with log.open("w") as said:
        process = subprocess.Popen(  # noqa: S603 - py-spy of this environment, on a process that we started
            [*record, *form], stdout=said, stderr=said
        )
    try:
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(ATTACH_S)
    if process.returncode or not file.exists():
        raise RuntimeError(log.read_text().strip() or f"py-spy ended with {process.returncode}")


def read(file: Path) -> Iterator[tuple[list[tuple[str, str]], int]]:
    """Give each stack, function and file of its frames from the outermost on, with its number of samples."""
    for line in file.read_text().splitlines():
        stack, _, count = line.rpartition(" ")
        frames = (_FRAME.match(frame) for frame in stack.split(";"))
        yield [(frame["function"], _within(frame["file"])) for frame in frames if frame], int(count)


def _within(file: str) -> str:
    """Return a file's path in its package or in this project; for one of the standard library, nothing."""
    _, found, installed = file.rpartition("/site-packages/")
    if found:
        return installed
    return file.removeprefix(f"{ROOT}/") if file.startswith(f"{ROOT}/") else ""


def package(frames: list[tuple[str, str]]) -> str:
    """Return the package that a sample belongs to."""
    for _, file in reversed(frames):
        if file in ENTRANCES:
            break
        if file:
            return file.split("/")[0].removesuffix(".py")
    return LOOP


def shares(file: Path) -> tuple[Counter[str], Counter[str]]:
    """Return samples by package, and by function of the application that was on the stack."""
    packages: Counter[str] = Counter()
    functions: Counter[str] = Counter()
    for frames, count in read(file):
        packages[package(frames)] += count
        own = {f"{name} ({path})" for name, path in frames if path.startswith("app/") and path not in ENTRANCES}
        functions.update(dict.fromkeys(own, count))
    return packages, functions


async def main(workflows: int, concurrent: int, out: Path) -> int:
    """Run the try-ons, print where the time went, and draw it."""
    files = {name: out / f"{name}.folded" for name in PROCESSES}
    content = json.dumps(start_body(portrait(900, 1200, seed=1, zoom=FAR), strokes=STROKES)).encode()
    options = Options(profile="instant", temporal_ui=False, extra={"worker": {"A100_MAX_CONCURRENT": str(concurrent)}})
    with tempfile.TemporaryDirectory(prefix="profile-") as home:
        async with Stack(home=Path(home), options=options) as stack:
            gateway = GatewayClient(stack.urls["gateway"], timeout=PATIENCE_S)
            pids = {name: stack[name].pid for name in PROCESSES}
            try:
                await gateway.try_on(content)  # it pays for connections and imports
                with sampled(pids["worker"], files["worker"]), sampled(pids["gateway"], files["gateway"]):
                    seen = await batch(pids, workflows, concurrent, lambda: gateway.try_on(content))
            finally:
                await gateway.close()
    print(f"{workflows} try-ons, {concurrent} at once, {seen.seconds:.0f} s, {RATE} samples a second")
    drawn = {}
    for name in PROCESSES:
        packages, functions = shares(files[name])
        whole = packages.total()
        drawn[name] = {part: count / whole for part, count in packages.most_common(SHOWN)}
        print(f"\n{name}: {seen.cpu_each(name) * 1e3:.0f} ms CPU a try-on, {whole} samples in Python")
        for part, count in packages.most_common(SHOWN):
            print(f"  {count / whole:6.1%}  {part}")
        print("  of these, with what they call:")
        for part, count in functions.most_common(SHOWN):
            print(f"  {count / whole:6.1%}  {part}")
    _plot(drawn).savefig(out / "profile.png", dpi=150)
    print(f"\nplot: {out / 'profile.png'}; stacks for a flame graph: {', '.join(map(str, files.values()))}")
    return 0


def _plot(drawn: dict[str, dict[str, float]]) -> Figure:
    figure = Figure(figsize=(7.2, 3.4), layout="constrained")
    for axes, (name, parts) in zip(figure.subplots(1, len(drawn)), drawn.items(), strict=True):
        axes.barh(list(parts)[::-1], [100 * share for share in list(parts.values())[::-1]], color="#457b9d")
        axes.set_title(f"CPU of the {name}")
        axes.set_xlabel("% of samples")
    return figure


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="make profile", description=__doc__)
    parser.add_argument("--workflows", type=int, default=60)
    parser.add_argument("--concurrent", type=int, default=15)
    parser.add_argument("--out", type=Path, default=Path("out/profile"))
    chosen = parser.parse_args()
    if shutil.which("py-spy", path=str(Path(sys.executable).parent)) is None:
        print("profile: run it by `make profile`, which installs py-spy", file=sys.stderr)
        sys.exit(2)
    chosen.out.mkdir(parents=True, exist_ok=True)
    try:
        sys.exit(
            ended_in_order(lambda: asyncio.run(until_signalled(main(chosen.workflows, chosen.concurrent, chosen.out))))
        )
    except RuntimeError as error:
        print(f"profile: py-spy could not look into a process of this stack (may it trace?): {error}", file=sys.stderr)
        sys.exit(2)
