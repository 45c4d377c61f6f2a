"""What every process has: environment, logs, telemetry, signs of life, its connection to Temporal."""
