"""Many files are converted side by side, at most three at a time."""

import asyncio
import time
from datetime import timedelta

from temporalio import activity, workflow

AT_ONCE = 3


@activity.defn
def convert(file: str) -> str:
    """Convert a file, in a thread. Its name says how many seconds that takes: `a-20.tif`."""
    seconds = int(file.partition("-")[2].partition(".")[0])
    for _ in range(seconds):
        time.sleep(1)
        activity.heartbeat()
    return file.replace(".tif", ".jpg")


@workflow.defn
class ConvertAll:
    """A folder of files."""

    @workflow.run
    async def run(self, files: list[str]) -> list[str]:
        """Return the names of the converted files, in the order of the given ones."""
        places = asyncio.Semaphore(AT_ONCE)

        async def one(file: str) -> str:
            async with places:
                return await workflow.execute_activity(
                    convert,
                    file,
                    start_to_close_timeout=timedelta(minutes=2),
                    heartbeat_timeout=timedelta(seconds=5),
                )

        return list(await asyncio.gather(*(one(file) for file in files)))
