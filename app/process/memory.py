"""What the C library does with freed memory. Its own rules suit neither a gateway nor a worker.

By default glibc gives a large piece back to the kernel when it is freed, until it has freed some: then it keeps them,
in a pool for each thread.
"""

import ctypes
import sys

_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
KEPT = 128 * 1024 * 1024
"""Bytes of free memory that a gateway keeps: what MAX_BODY_MB and BODY_SLOTS let it hold in ordinary use."""

LARGEST = 32 * 1024 * 1024
"""Pieces up to this come from the kept memory. glibc takes no larger number."""

LARGE = 1024 * 1024
"""Pieces from this on a worker gives back. Pillow's are of 16 MB."""


def keep_freed_memory() -> None:
    """Keep freed memory for the next photo.

    A start takes and frees some 20 MB in large pieces. Giving each back and taking it again page by page for the next
    photo was measured as half of a start's CPU.
    """
    _tell(_M_TRIM_THRESHOLD, KEPT)
    _tell(_M_MMAP_THRESHOLD, LARGEST)


def give_back_freed_memory() -> None:
    """Give large pieces back as soon as they are freed.

    Photos are decoded in threads. The pool of each would keep the pixels of the largest that it has seen: four photos
    of 48 megapixels, one after the other, were seen to leave a worker with 1.4 GB.
    """
    _tell(_M_MMAP_THRESHOLD, LARGE)


def _tell(option: int, value: int) -> None:
    """Set an option of the C library, where it is glibc; elsewhere nothing happens."""
    if not sys.platform.startswith("linux"):
        return
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        library.mallopt(option, value)
