"""
Everything about HTTP.

    views              the endpoints that take a token or a password in the body
    session_views      sign-out, and a user's own sessions
    cookie_views       sign-in and refresh by cookie
    pages              the sign-in page and the sign-out button
    well_known         ``/.well-known/jwks.json``
    serializers        the formats of bodies and answers
    cookies            the tokens in cookies, and the CSRF check of requests by cookie
    http               the Authorization header, and what an answer says about a refusal
    exception_handler  exceptions as answers; import it after DRF's settings are loaded
    throttles          DRF throttle classes
    renderers          the browsable API
    schema             the parts of the OpenAPI document that drf-spectacular cannot derive
    middleware         ``Vary`` for answers by cookie, and the deletion of a refused cookie

Imports ``limits`` and the packages below it, and not ``operations``: rules belong in ``sessions``.

DRF imports the authentication class, and with it this package, while it loads its settings. So
this file imports nothing; import the submodules by name.
"""

__all__ = [
    "cookie_views",
    "cookies",
    "exception_handler",
    "http",
    "middleware",
    "pages",
    "renderers",
    "schema",
    "serializers",
    "session_views",
    "throttles",
    "views",
    "well_known",
]
