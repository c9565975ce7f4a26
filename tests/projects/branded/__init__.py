"""
A project with a name, a home page and an admin of its own, which shows nothing of this one's.

SITE says how the project is called: by its setting, by ``django.contrib.sites``, or by its host.
"""
