"""This project beside others that do the same. Nothing else imports it."""
