"""One run of a scenario: played, looked at, judged, told."""
