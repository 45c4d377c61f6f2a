"""`make demo`: one photo through the real stack, with a progress bar, pictures and figures."""
