"""docs/api.md says what the code does: its table of errors and its limits."""

import inspect
import re
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute

from app.errors import error_classes
from app.errors.request import RequestError
from app.gateway import health, http_limits as connections
from app.gateway.__main__ import GRACE
from app.gateway.admission.access import may_start, who_calls
from app.gateway.api.errors import MAX_DETAILS
from app.gateway.api.held_response import PIECE
from app.gateway.api.start_request import MAX_BRUSH, MAX_POINTS, MAX_SESSION_ID, MAX_STROKE_POINTS, MAX_STROKES
from app.gateway.api.status_request import MAX_WAIT
from app.gateway.routes import operations_routes, tryon_routes
from app.gateway.watch import MAX_WAITS
from app.pictures.jpeg import MAX_SCANS, MAX_TABLE_BYTES
from app.pictures.photo import MAX_PICTURE_BYTES, MAX_PIXELS, MIN_SIDE
from app.pictures.picture_file import MAX_PARTS, MAX_PROFILE_BYTES
from app.settings import Settings

TEXT = " ".join((Path(__file__).parents[3] / "docs" / "api.md").read_text().split())

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_table_of_errors_is_that_of_the_code() -> None:
    told = set(re.findall(r"\| (\d{3}) \| `([A-Z_]+)` \| ([^|]+) \|", TEXT))
    assert told == {
        (str(error.http_status), error.code, (error.__doc__ or "").split("\n\n")[0].strip())
        for error in error_classes(RequestError)
    }


@pytest.mark.parametrize(
    "said",
    [
        f"1 to {MAX_POINTS} points",
        f"at most {MAX_STROKES} strokes on the mask, with {MAX_STROKE_POINTS} points in all",
        f"a diameter of 1 to {MAX_BRUSH} pixels",
        f"at most {MAX_PICTURE_BYTES // 1024**2} MiB; plain",
        f"up to {MAX_SESSION_ID} characters",
        f"from {MIN_SIDE} pixels a side to {MAX_PIXELS // 1_000_000} megapixels",
        f"one of more than {MAX_PARTS:,} parts, a JPEG in more than {MAX_SCANS} scans",
        f"with more than {MAX_TABLE_BYTES // 1024} KB of tables",
        f"larger than {MAX_PROFILE_BYTES // 1024**2} MiB is left out",
        f"may have {Settings.model_fields['max_body_mb'].default} MiB",
        f"{MAX_WAIT:g} is the most",
        f"At most {MAX_WAITS} clients",
        f"at most {MAX_DETAILS};",
        f"for up to {GRACE} seconds",
        f"An answer is kept for {health.KEPT:g} seconds",
        f"nothing came within {health.CHECK_DEADLINE:g} seconds",
        f"{Settings.model_fields['keep_alive_s'].default} seconds",
        f"may have {connections.MAX_HEAD // 1024} KiB together",
        f"have {connections.HEAD_TIMEOUT:g} seconds to arrive",
        f"given up after {connections.READER_TIMEOUT:g} seconds",
        f"less than {PIECE / connections.READER_TIMEOUT / 1024:g} KiB a second",
    ],
)
async def test_the_limits_are_those_of_the_code(said: str) -> None:
    assert said in TEXT


async def test_every_path_is_described() -> None:
    for route in (*tryon_routes.routes, *operations_routes.routes):
        assert str(getattr(route, "path", "")) in TEXT


async def test_nothing_of_a_request_is_done_in_a_thread() -> None:
    """FastAPI gives plain functions to threads: a hop costs time, and what it tells the log is lost."""
    routes = [route for route in (*tryon_routes.routes, *operations_routes.routes) if isinstance(route, APIRoute)]
    waiting = [route.dependant for route in routes]
    seen = set()
    while waiting:
        dependant = waiting.pop()
        waiting += dependant.dependencies
        seen.add(dependant.call)
        functions: list[Any] = [dependant.call, type(dependant.call).__call__]
        assert any(inspect.iscoroutinefunction(one) or inspect.isasyncgenfunction(one) for one in functions), functions
    assert {who_calls, may_start} <= seen
