import json
import time
from typing import Any

import pytest

from app.json_limits import has_more_structure


@pytest.mark.parametrize(
    ("value", "marks"),
    [
        (1, 0),
        ("text", 0),
        ("A" * 1000 + "+/==", 0),
        ([], 1),
        ({}, 1),
        ([1, 2, 3], 3),
        ({"a": 1, "b": [{}, {}]}, 6),
        ("a,b", 1),  # what strings hold counts too
    ],
)
def test_lists_objects_and_their_items_are_counted(value: Any, marks: int) -> None:
    content = json.dumps(value).encode()
    assert not has_more_structure(content, marks)
    if marks:
        assert has_more_structure(content, marks - 1)


@pytest.mark.parametrize("mark", [b"[", b"{", b","])
def test_each_mark_alone_is_enough_and_counting_stops_there(mark: bytes) -> None:
    content = mark * 32_000_000
    began = time.process_time()
    assert has_more_structure(content, 20_000)
    assert time.process_time() - began < 1  # to the end it would be several
