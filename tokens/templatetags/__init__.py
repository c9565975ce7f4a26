"""
The template tags of the admin's pages.

Imports ``admin``, and only inside a tag: Django imports this package for every project, also for
one without the admin. Templates load the tags by module name.
"""

__all__: list[str] = []
