"""The virtual world: everything real but the clock."""
