"""The patterns side by side, on the same work: `make compare`."""
