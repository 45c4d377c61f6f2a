"""Soaks: many try-ons with random faults, for minutes in real time or for hours in virtual time."""
