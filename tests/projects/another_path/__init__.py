"""A project that keeps the app at ``project.apps.tokens``. The test copies it and adds the app."""
