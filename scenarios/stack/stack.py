"""The real stack as child processes: Temporal, Azurite, the fakes, workers and gateway, as an async context.

async with Stack(home=folder) as stack:  # free ports, every part healthy
    httpx.get(f"{stack.urls['gateway']}/health")
    await stack.kill("worker")  # kill -9
    await stack.start("worker")
"""

import shutil
from collections.abc import Callable
from pathlib import Path

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from scenarios.processes.child import Child
from scenarios.processes.ports import HOST, require_free
from scenarios.processes.supervisor import Supervisor
from scenarios.stack import programs
from scenarios.stack.ports import Ports
from scenarios.stack.programs import Options


class Stack(Supervisor):
    """Every part of the stack that the options name, healthy inside the context and gone after it.

    Args:
        home: the folder for logs and data. What an earlier stack left in it is removed; nothing else is.
            The file `environment` in it lets a process of one's own join the stack.
        ports: the ports to use; free ones if none are given.
        options: which parts, how many workers, which profile, more environment.
        announce: called for each process as soon as it is healthy.

    Raises:
        PortTakenError: on entering, before anything is started.
        StackError: on entering, when a process does not become healthy; nothing is left running.
    """

    def __init__(
        self,
        *,
        home: Path,
        ports: Ports | None = None,
        options: Options | None = None,
        announce: Callable[[Child], None] = lambda _child: None,
    ) -> None:
        self.ports = ports or Ports.free()
        self.options = options or Options()
        self.environment = programs.shared_environment(self.ports, self.options)
        self.temporal_address = f"{HOST}:{self.ports.temporal}"
        self.urls = {name: f"http://{HOST}:{port}" for name, port in self.ports.by_part().items()}
        super().__init__(
            programs.stages(self.ports, home.resolve(), self.options), home=home.resolve(), announce=announce
        )

    async def temporal(self) -> Client:
        """Return a client of the stack's Temporal that reads what the application writes."""
        return await Client.connect(self.temporal_address, data_converter=pydantic_data_converter)

    def _prepare(self) -> None:
        require_free(programs.purposes(self.ports, self.options))
        super()._prepare()
        for left in (*self.home.glob("*.log"), *self.home.glob("temporal.db*")):
            left.unlink()
        shutil.rmtree(self.home / "azurite", ignore_errors=True)
        variables = "".join(f"{name}={value}\n" for name, value in self.environment.items())
        (self.home / "environment").write_text(variables)
