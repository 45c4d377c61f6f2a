"""Jobs: submitted once, polled until done. Their state is computed from the caller's time: polls change nothing."""

import asyncio
import hashlib
import secrets
import uuid
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from starlette.exceptions import HTTPException

from .calls import Call, this_call
from .faults.base import Fault
from .faults.jobs import JobFault, JobSlow, Seen
from .instants import between
from .ledger import Hit

MOST_JOBS = 20_000
NAMESPACE = uuid.UUID("6c1d4a52-3f43-5b0e-9d0b-8f6f0c3f2a11")


@dataclass(slots=True)
class Job:
    """One submitted job. Instants are Unix seconds of the caller's clock."""

    id: str
    key: str
    submitted: float
    ready: float
    scale: float
    hits: tuple[Hit, ...] = ()
    """The rules that its submit met and that go with it."""
    result: str | None = None
    """The URI of what the work made, once it has ended well."""
    failure: Exception | None = None
    """What ended it otherwise: an HTTPException, or a bug of the fake."""
    task: "asyncio.Task[None] | None" = None
    """The work, until it is done. It runs at once, whatever the caller's clock says."""

    async def work(self, make: Callable[[], Coroutine[Any, Any, str]]) -> None:
        """Do the work, and keep what came of it."""
        try:
            self.result = await make()
        except Exception as error:  # noqa: BLE001 - a poll will tell, or nobody asks
            self.failure = error
        self.task = None

    async def seen(self, now: float, of_poll: tuple[Hit, ...]) -> Seen:
        """Return what a poll at that time sees, with the lies of the submit's faults, then of the poll's.

        Raises:
            Exception: a bug of the fake ended the work. What it refuses is an HTTPException: that job has failed.
        """
        ready = between(self.ready, now) >= 0
        if not ready:
            truth = Seen("processing")
        else:
            if self.task is not None:
                await asyncio.shield(self.task)
            if self.failure is not None and not isinstance(self.failure, HTTPException):
                raise self.failure
            truth = Seen("failed") if self.failure is not None else Seen("completed", self.result)
        for hit in (*self.hits, *of_poll):
            if isinstance(hit.fault, JobFault):
                lie = hit.fault.see(truth, between(self.submitted, now) / self.scale, ready=ready)
                if lie != truth:
                    hit.act()
                truth = lie
        if truth.result:  # the caller has what the work made
            for hit in self.hits:
                if not isinstance(hit.fault, JobFault):
                    hit.close()
        return truth


class Jobs:
    """The jobs of one fake, the oldest forgotten beyond a number."""

    def __init__(self, seed: int, most: int = MOST_JOBS) -> None:
        self._seed = seed
        self._most = most
        self._jobs: OrderedDict[str, Job] = OrderedDict()

    def __len__(self) -> int:
        return len(self._jobs)

    def submit(self, make: Callable[[], Coroutine[Any, Any, str]], ready: float) -> Job:
        """Start a job that is ready at that time of the caller's clock. Its id depends on seed, key and call number."""
        call = this_call()
        name = f"{self._seed}/{call.service}/{call.key}/{call.number}" if call.key else secrets.token_hex()
        scale = 1.0 if call.virtual else call.scale
        job = Job(_id_of(name), call.key, call.now, ready, scale)
        if call.hits:
            _meet(job, call)
        job.task = asyncio.get_running_loop().create_task(job.work(make))
        self._jobs[job.id] = job
        self._jobs.move_to_end(job.id)
        if len(self._jobs) > self._most:
            self._jobs.popitem(last=False)
        return job

    def get(self, job_id: str) -> Job | None:
        """Return a job, None when there is none."""
        return self._jobs.get(job_id)

    async def poll(self, job_id: str) -> Seen:
        """Return what the caller sees of a job.

        Raises:
            HTTPException: 404, there is no such job, or so it seems.
        """
        call = this_call()
        job = self._jobs.get(job_id)
        seen = await job.seen(call.now, call.hits) if job else Seen(None)
        if seen.status is None:
            raise HTTPException(404, f"there is no job {job_id}")
        return seen

    async def close(self) -> None:
        """Stop the work that is under way and forget all jobs."""
        tasks = [job.task for job in self._jobs.values() if job.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._jobs.clear()


def _id_of(name: str) -> str:
    """Return `str(uuid.uuid5(NAMESPACE, name))`, in a fourth of its time: a submit's own answer is mostly that."""
    digest = hashlib.sha1(NAMESPACE.bytes + name.encode(), usedforsecurity=False).hexdigest()
    variant = "89ab"[int(digest[16], 16) & 3]
    return f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-{variant}{digest[17:20]}-{digest[20:32]}"


def _meet(job: Job, call: Call) -> None:
    """Have a job meet the rules of its submit: one makes it longer, others go with it."""
    for hit in call.hits:
        if isinstance(hit.fault, JobSlow):
            seconds = between(call.now, job.ready) / job.scale
            longer = hit.fault.longer(seconds)
            if longer != seconds:
                hit.act()
                job.ready = call.now + longer * job.scale
        hit.carried = isinstance(hit.fault, Fault) and hit.fault.carried
    job.hits = tuple(hit for hit in call.hits if hit.carried)
