"""What lies between two instants of a caller's clock, which are Unix seconds as floats: those are exact to 0.2 µs."""

DIGITS = 6
"""Of a second: what differs by less is one instant, so that 2.9 s after 12.9 s is 15.8 s."""


def between(first: float, then: float) -> float:
    """Return the seconds from one instant to another."""
    return round(then - first, DIGITS)
