"""Mutants: the production code broken in one place at a time by operators, and who notices it."""
