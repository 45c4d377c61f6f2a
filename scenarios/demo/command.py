"""The demo's course: check the photo, start the stack, post, follow, write the pictures, explain, stop."""

import argparse
import asyncio
import base64
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from temporalio.client import WorkflowHistory

from scenarios.demo import photo as photos
from scenarios.gateway_client import RUNNING, FailedError, GatewayClient, RefusedError, start_body
from scenarios.histories import activities, length
from scenarios.processes.child import Child, StackError
from scenarios.processes.signals import Stopped, until_signalled
from scenarios.stack.programs import RUN, Options
from scenarios.stack.stack import Stack

OUT = Path("out")
PICTURES = {
    "flux.jpg": "fluxResultBase64",
    "gemini.jpg": "geminiResultBase64",
    "flux-fidelity.jpg": "fluxFidelityVizBase64",
    "gemini-fidelity.jpg": "geminiFidelityVizBase64",
}
METRICS = ("precision", "recall", "iou", "growthRatio")
# Lets the fakes take their time, but not that of a real GPU: the try-on takes about 5 s.
TIME_SCALE = 0.06
LOOK_S = 0.25
"""Between two looks at the progress."""


def main(arguments: Sequence[str]) -> int:
    """Run the demo.

    Exit codes: 0 the pictures are in out/; 1 the stack or the try-on failed; 2 the photo or the points cannot be used;
    128 and the signal's number when interrupted.
    """
    parser = argparse.ArgumentParser(prog="make demo", description="One photo through the real stack.")
    parser.add_argument("--photo", default="", help="a JPEG or PNG file; without it a portrait is drawn")
    parser.add_argument("--points", default="", help="for example '0.5,0.6 0.1,0.2:0'")
    chosen = parser.parse_args(arguments)
    console = Console(highlight=False)
    home = RUN / f"demo-{os.getpid()}"
    try:
        if chosen.photo:
            photo = photos.load(Path(chosen.photo).expanduser(), chosen.points)
        else:
            console.print("Drawing a portrait of somebody who does not exist ...")
            photo = photos.drawn(chosen.points)
        code = asyncio.run(until_signalled(_demo(photo, home, console), lambda: console.print("\nstopping everything")))
    except photos.DemoError as error:
        return _complain(str(error), 2)
    except RefusedError as error:
        code = _complain(f"the gateway does not take the photo: {error}", 2)
    except FailedError as error:
        code = _complain(f"the try-on failed: {error}", 2 if error.code == "INVALID_IMAGE" else 1)
    except TimeoutError as error:
        code = _complain(str(error), 1)
    except StackError as error:
        return _complain(str(error), 1)  # the message points into the logs: they stay
    except Stopped as stopped:
        code = stopped.exit_code
    shutil.rmtree(home, ignore_errors=True)
    return code


async def _demo(photo: photos.PostedPhoto, home: Path, console: Console) -> int:
    console.print("[bold]Starting the real stack[/], on free ports")

    def announce(child: Child) -> None:
        for label, address in child.program.addresses.items():
            console.print(f"  [green]✓[/] {label:26} {address}", soft_wrap=True)

    async with Stack(home=home, options=Options(time_scale=TIME_SCALE), announce=announce) as stack:
        death = asyncio.create_task(stack.first_death())
        story = asyncio.create_task(_try_on(photo, stack, console))
        try:
            await asyncio.wait({death, story}, return_when=asyncio.FIRST_COMPLETED)
            if death.done():
                raise death.result()
            result, history = story.result()
        finally:
            death.cancel()
            story.cancel()
        _show(result, history, console)
    console.print("\nEverything is stopped again.")
    return 0


async def _try_on(photo: photos.PostedPhoto, stack: Stack, console: Console) -> tuple[dict[str, Any], WorkflowHistory]:
    console.print(f"\n[bold]One try-on[/] of {photo.title}", soft_wrap=True)
    async with GatewayClient(stack.urls["gateway"]) as gateway:
        workflow_id = await gateway.start(start_body(photo.data, photo.points, session="demo"))
        with _progress(console) as progress:
            bar = progress.add_task("", total=100, step="starting")

            def show(view: dict[str, Any]) -> None:
                running = view["status"] == RUNNING
                percent, step = (view["progress"], view["currentStep"]) if running else (100, view["status"])
                if not console.is_terminal and progress.tasks[0].fields["step"] != step:
                    console.print(f"  {percent:3} % {step}")
                progress.update(bar, completed=percent, step=step)

            result = await gateway.pictures(workflow_id, seen=show, every_s=LOOK_S, wait_s=0)
    client = await stack.temporal()
    return result, await client.get_workflow_handle(workflow_id).fetch_history()


def _progress(console: Console) -> Progress:
    columns = (
        TextColumn("  "),
        BarColumn(bar_width=32),
        TaskProgressColumn(),
        TextColumn("{task.fields[step]:20}"),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=console, disable=not console.is_terminal)


def _show(result: dict[str, Any], history: WorkflowHistory, console: Console) -> None:
    _write_pictures(result, console)
    console.print("\n[bold]How well the drawn jewellery keeps to the mask[/]")
    console.print(_metrics(result))
    console.print(f"\n[bold]Where the {length(history):.1f} s went[/]")
    console.print(_times(history))
    console.print("\n[bold]Where to look next[/]")
    console.print("  make demo PHOTO=me.jpg   the same with your own photo")
    console.print("  make up                  keep the stack running: API, Temporal's UI, faults")
    console.print("  README.md                a tour in ten minutes")


def _write_pictures(result: dict[str, Any], console: Console) -> None:
    OUT.mkdir(exist_ok=True)
    console.print("\n[bold]Pictures[/]")
    for name, key in PICTURES.items():
        path = OUT / name
        path.unlink(missing_ok=True)
        if result[key] is not None:
            path.write_bytes(base64.b64decode(result[key]))
            console.print(f"  {path}  ({path.stat().st_size / 1e3:.0f} kB)")


def _metrics(result: dict[str, Any]) -> Table:
    table = Table(box=None, padding=(0, 2), show_edge=False)
    table.add_column("model")
    for name in METRICS:
        table.add_column(name, justify="right")
    for model, key in (("Flux", "fluxMetrics"), ("Gemini", "geminiMetrics")):
        if result[key] is not None:
            table.add_row(model, *(f"{result[key][name]:.3f}" for name in METRICS))
    return table


def _times(history: WorkflowHistory) -> Table:
    whole = length(history)
    table = Table(box=None, padding=(0, 2), show_edge=False)
    table.add_column("step")
    table.add_column("attempts", justify="right")
    table.add_column("seconds", justify="right")
    table.add_column("")
    for activity in activities(history.events):
        took = (activity.ended or activity.scheduled) - activity.scheduled
        table.add_row(activity.name, str(activity.attempt), f"{took:.2f}", "█" * round(30 * took / whole))
    return table


def _complain(words: str, code: int) -> int:
    print(f"make demo: {words}", file=sys.stderr)  # noqa: T201 - the command's own terminal
    return code
