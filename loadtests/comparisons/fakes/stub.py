"""The stub that is compared, as a fake of the kit: a plain answer, and one after 500 ms."""

from fakes.kit.fake import Fake
from fakes.kit.serve import main
from fakes.kit.settings import FakeSettings

ANSWER = {"status": "online", "gpu_memory_free": 40000}


def create_app(settings: FakeSettings) -> Fake:
    """Return the stub."""
    fake = Fake("bench", settings)
    fake.fixed("plain", "GET", "/plain", ANSWER)
    fake.fixed("slow", "GET", "/slow", ANSWER)
    return fake


if __name__ == "__main__":
    main("bench", 8010, create_app)
