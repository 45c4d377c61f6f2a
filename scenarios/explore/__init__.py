"""Look for failures that nobody thought of: enumerate, vary, shrink, map. Nothing here knows which application it is.

`application.py` says what an application gives. This project's own is `scenarios.explore.tryon`.
"""
