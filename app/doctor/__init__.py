"""Checks a configuration against what it names: reachable, answering as the pipeline needs, fake or real."""
