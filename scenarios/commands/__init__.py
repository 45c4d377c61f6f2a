"""The commands behind make that are no room of their own."""
