"""A project with another user model and two databases."""
