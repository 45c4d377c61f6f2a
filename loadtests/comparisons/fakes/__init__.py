"""The fakes' kit beside other fakes of HTTP services, on the same stub in one run: `make bench-fakes`."""
