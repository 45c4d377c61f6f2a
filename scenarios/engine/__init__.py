"""The engine of the simulation: virtual time, the stack of processes, expectations and reports."""
