"""Measure this project and similar packages in one interleaved run: `make bench`."""
