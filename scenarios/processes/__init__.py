"""Child processes of any kind: started with a log, watched, stopped with all that they started."""
