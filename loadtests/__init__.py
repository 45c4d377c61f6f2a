"""Load runs with Locust: users, arrival shapes, thresholds, reports."""
