"""One client for each outside service. Each is handed its transport."""
