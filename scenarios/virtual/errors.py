"""What virtual time says when it cannot go on."""


class VirtualTimeError(Exception):
    """A story cannot go on, or was asked for what it cannot do: the message says what, where and what to do."""


class SilenceError(VirtualTimeError):
    """Nothing came within the wall time that it may take: the machine is too busy, or something has broken."""


class WaitsForEverError(VirtualTimeError):
    """Somebody waits for a story in which nothing can happen any more."""
