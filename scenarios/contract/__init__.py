"""`make contract`: one suite for any implementation of the four services, fake or real, by its address."""
