"""The search for the rate that breaks a threshold."""
