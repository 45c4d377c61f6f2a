"""The public API as data: requests, responses, errors and their documentation."""
