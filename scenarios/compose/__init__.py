"""`make test-compose`: the images built, the compose file started, used and stopped, as a user does."""
