"""The stub that is compared, as a fake of the kit: a plain answer, and one after 500 ms."""

from fastapi import FastAPI
from fastapi.responses import JSONResponse

from fakes.kit.calls import Operation
from fakes.kit.serve import main
from fakes.kit.settings import FakeSettings
from fakes.kit.simulated import Simulated

ANSWER = {"status": "online", "gpu_memory_free": 40000}


def create_app(settings: FakeSettings) -> Simulated:
    """Return the stub."""
    app = FastAPI()

    @app.get("/plain")
    @app.get("/slow")
    async def answer() -> JSONResponse:
        return JSONResponse(ANSWER)

    operations = (Operation("plain", "GET", "/plain"), Operation("slow", "GET", "/slow"))
    return Simulated(app, "bench", settings, operations)


if __name__ == "__main__":
    main("bench", 8010, create_app, FakeSettings)
