"""What surrounds one attempt of an activity: deadline, heartbeats, logs, translation of failures."""
