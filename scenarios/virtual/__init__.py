"""Virtual time for any Temporal application: its code is untouched, its hours pass in milliseconds, in the right order.

    virtual = VirtualTime()
    client = await Client.connect(address, plugins=[virtual])  # on a VirtualLoop
    async with Worker(client, task_queue="q", workflows=[Order], activities=[charge, ship]):
        virtual.at("order-1", 45, cancel_it)
        await client.execute_workflow(Order.run, id="order-1", task_queue="q")
    assert [a.began for a in virtual.story("order-1").attempts("charge")] == [0, 2, 6]

What is named here is public. `Story`: `name`, `now`, `base`, `workflow_ids`, `attempts()`.
"""

from .alone import story_alone
from .attempt import Attempt
from .errors import SilenceError, VirtualTimeError, WaitsForEverError
from .loop import VirtualLoop, counted_chunks, in_real_time, real_io
from .planned import Planned
from .plugin import VirtualTime
from .server import server_words, virtual_server
from .story import Story
from .threads import virtual_clocks
from .transport import (
    RefusedError,
    SilentError,
    UnreachableError,
    UnresolvedError,
    VirtualTransport,
    caller_time,
    httpx_in_virtual_time,
    take_claimed_time,
)

__all__ = [
    "Attempt",
    "Planned",
    "RefusedError",
    "SilenceError",
    "SilentError",
    "Story",
    "UnreachableError",
    "UnresolvedError",
    "VirtualLoop",
    "VirtualTime",
    "VirtualTimeError",
    "VirtualTransport",
    "WaitsForEverError",
    "caller_time",
    "counted_chunks",
    "httpx_in_virtual_time",
    "in_real_time",
    "real_io",
    "server_words",
    "story_alone",
    "take_claimed_time",
    "virtual_clocks",
    "virtual_server",
]
