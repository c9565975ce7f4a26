"""What this project costs beside its peers, in one interleaved run: `make bench`."""
