"""Driving load: Locust's processes and what each try-on does."""
