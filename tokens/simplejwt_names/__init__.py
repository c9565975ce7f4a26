"""
The import name ``rest_framework_simplejwt``, for code that was written for djangorestframework-simplejwt.

A Django app of its own. List it first in INSTALLED_APPS: from then on ``import rest_framework_simplejwt``
finds the modules of ``names``, whether or not the original is installed. The tokens are those of this
app: each belongs to a session, and is revoked like any other. docs/takeover-imports.md lists the names.

    apps       installs the name, applies SIMPLE_JWT, registers the checks
    alias      how one package answers to another's name
    mapping    SIMPLE_JWT as TOKENS_… settings
    checks     what SIMPLE_JWT asks for and does not get
    issuing    how the token classes start, refresh and end sessions
    records    the rows of the blacklist app, which follow the sessions
    names      the modules of rest_framework_simplejwt

May import everything else in ``tokens``. Can be deleted.
"""
