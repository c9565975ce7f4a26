"""A project that has the ``tokens`` app and as little else as docs/installing.md says."""
