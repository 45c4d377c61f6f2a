"""A fake of the gateway itself, for whoever writes a frontend: the public API with scripted try-ons, in one process."""

from fakes.gateway.application import create_app

__all__ = ["create_app"]
