"""Fake services that answer over real HTTP. Imports nothing of app: each stands for somebody else's service."""
