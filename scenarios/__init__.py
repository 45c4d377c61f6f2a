"""The simulation: virtual time, the stack, expectations, reports and the catalogue of scenarios."""
