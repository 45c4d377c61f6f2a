"""What every fake shares: rules, ledger, jobs, capacity, the caller's clock and the control plane."""
