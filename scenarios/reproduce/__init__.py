"""`make scenario-from`: from the history of a try-on in production to a scenario that goes the same way."""
