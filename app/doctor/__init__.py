"""Checks a configuration against what it names: reachable, answering as specified, fake or real."""
