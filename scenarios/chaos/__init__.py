"""Faults in real processes, in real time: killed, paused and restarted, with nothing lost and nothing doubled."""
