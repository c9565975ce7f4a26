"""A project with another user model and two databases: what ``tokens`` must work with too."""
