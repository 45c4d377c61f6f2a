"""The REST gateway: takes a photo, starts the workflow, and tells how far it is. `python -m app.gateway` serves it."""

from app.gateway.application import open_gateway

__all__ = ["open_gateway"]
