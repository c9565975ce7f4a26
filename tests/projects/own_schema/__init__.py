"""A project that has an OpenAPI document with drf-spectacular's defaults, and names like the app's."""
