"""Random programs: every step ends when an oracle that knows nothing of the engine says so."""

import asyncio
import json
import os
import random
import sys
import uuid
from typing import Any

import pytest
from temporalio.service import RPCError

from tests.virtual.programs import Branches, Program, expected, program
from tests.virtual.session import Session

AT_ONCE = 12


@pytest.mark.parametrize(
    ("programs", "seed"),
    [(40, 1), pytest.param(int(os.environ.get("PROGRAMS", "500")), 2, marks=pytest.mark.long("500 programs"))],
)
def test_random_programs_end_as_the_oracle_says(session: Session, programs: int, seed: int) -> None:
    chance = random.Random(seed)
    made = [program(chance) for _ in range(programs)]
    slots = asyncio.Semaphore(AT_ONCE)

    async def run(branches: Branches) -> Any:
        async with slots:
            try:
                return await execute(branches)
            except RPCError:  # a server that starves may not take a start: that says nothing of the program
                return await execute(branches)

    async def execute(branches: Branches) -> Any:
        name = f"program-{uuid.uuid4()}"
        return await session.client.execute_workflow(Program.run, args=[branches, "", None], id=name, task_queue="q")

    async def run_all() -> list[Any]:
        return await asyncio.gather(*(run(each) for each in made), return_exceptions=True)

    seen = session.do(run_all())
    wrong = [
        f"{json.dumps(branches)}\n  seen     {marks!r}\n  expected {oracle!r}"
        for branches, marks in zip(made, seen, strict=True)
        if not _same(marks, oracle := expected(branches))
    ]
    assert not wrong, f"{len(wrong)} of {programs} programs\n" + "\n".join(wrong[:3])
    assert sum(map(len, seen)) > 5 * programs


def _same(marks: Any, oracle: dict[str, float]) -> bool:
    """Compare. On Python 3.12 and later the SDK rounds the timer of a `wait_for` in a workflow to milliseconds."""
    grain = 0.0 if sys.version_info < (3, 12) else 0.003
    return (
        isinstance(marks, dict)
        and marks.keys() == oracle.keys()
        and all(abs(marks[key] - oracle[key]) <= grain for key in oracle)
    )
