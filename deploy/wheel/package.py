"""Temporal applications in virtual time (`virtual`), and fakes of HTTP services that fail by rules (`kit`)."""
