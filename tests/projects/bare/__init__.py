"""A project with the ``tokens`` app and only what docs/installing.md requires."""
