"""A project as docs/installing.md describes it, which docs/registration.md continues."""
