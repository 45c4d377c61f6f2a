"""The real stack: its programs, and places where scenarios run in real time."""
