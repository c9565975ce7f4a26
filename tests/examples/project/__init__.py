"""A project that has installed the app, to which the blocks of docs/examples.md are added."""
