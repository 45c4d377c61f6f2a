"""The report of a load run, and the comparison of two."""
