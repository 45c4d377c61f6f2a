"""The production backend: gateway, worker and their clients. Imports nothing of fakes or scenarios."""
