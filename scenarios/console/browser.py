"""Debian's Chromium, for the console's tests and pictures. Playwright drives it; its own browser is not needed."""

import os
import shutil

FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    # It would ask hosts on the internet for updates and the like.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    *(("--no-sandbox",) if hasattr(os, "geteuid") and os.geteuid() == 0 else ()),  # root has no sandbox, as in CI
)


def chromium() -> str | None:
    """Return the path of Chromium: what CHROMIUM says, or the first that is on the PATH; None when there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
