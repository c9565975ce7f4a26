"""A project on an engine that the app does not support."""
