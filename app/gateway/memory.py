"""Keep freed memory for the next photo.

A start takes and frees some 20 MB in large pieces. By default glibc gives each back to the kernel at once and takes
it again page by page for the next photo, which was measured as half of a start's CPU.
"""

import ctypes
import sys

_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
KEPT = 128 * 1024 * 1024
"""Bytes of free memory that the process keeps: what MAX_BODY_MB and BODY_SLOTS let it hold in ordinary use."""

LARGEST = 32 * 1024 * 1024
"""Pieces up to this come from the kept memory. glibc takes no larger number."""


def keep_freed_memory() -> None:
    """Tell the C library so, where it is glibc; elsewhere nothing happens."""
    if not sys.platform.startswith("linux"):
        return
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        library.mallopt(_M_TRIM_THRESHOLD, KEPT)
        library.mallopt(_M_MMAP_THRESHOLD, LARGEST)
