"""The console: a page to try the pipeline by hand, break its fakes, and see what happened. Part of the harness."""
