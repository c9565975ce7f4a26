"""
The template tags: addresses of views, and the numbers of the admin's first page.

Imports ``admin`` only inside a tag: Django imports this package for every project, also for one
without the admin. Templates load the tags by module name:

    tokens_addresses    the address of a view of this app
    tokens_times        times in the reader's language and time zone
    tokens_overview     the numbers of the admin's first page
"""

__all__: list[str] = []
