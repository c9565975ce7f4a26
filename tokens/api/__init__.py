"""
Everything about HTTP.

    views              the endpoints that take a token or a password in the body
    session_views      sign-out, and a user's own sessions
    check_view         whether a gateway may pass a request on
    cookie_views       sign-in and refresh by cookie
    password_views     the change of one's own password
    password_urls      its route, for a project that has its own ``me/``
    me_views           who the caller is
    me_urls            the routes of both, which a project includes if it wants them
    pages              the sign-in page and the sign-out button
    sign_in_form       the form of the former, also for pages that need a user
    session_pages      what the forms of "My sessions" do
    session_cards      a user's sessions in words
    time_zones         the time zone of a page's reader
    well_known         ``/.well-known/jwks.json``
    public             answers that pages of every origin may read
    endpoint           what all views have in common, independent of the project's defaults
    addresses          where the project has put these views
    serializers        the formats of bodies and answers
    charsets           charsets that Django cannot decode a request with
    bodies             bodies without a Content-Length
    parsers            DRF's parsers, with a 400 for what they cannot read
    hiding             bodies and answers that error reports do not show
    cookies            the tokens in cookies, and the CSRF check of requests by cookie
    http               the Authorization header, and what an answer says about a refusal
    exception_handler  exceptions as answers; import it after DRF's settings are loaded
    throttles          DRF's throttle class for views that ask for a password again
    token_limits       limits on requests with tokens; only junk is counted by address
    renderers          the browsable API
    schema             the parts of the OpenAPI document that drf-spectacular cannot derive
    schema_groups      its groups, and a summary of each operation
    openapi            drf-spectacular's decorators, or none in a project without it
    sign_in_refusals   the answer to an attempt over the limit in views of other packages
    middleware         requests that Django cannot read; clients that sign in; caches and cookies
    django_sessions    the middleware that keeps a row for each of Django's own sessions
    quoting            what a log may quote of a request

Imports ``limits`` and the packages below it, and not ``operations``: rules belong in ``sessions``.

DRF imports the authentication class, and with it this package, while it loads its settings. So
this file imports nothing; import the submodules by name.
"""

__all__ = [
    "addresses",
    "bodies",
    "charsets",
    "check_view",
    "cookie_views",
    "cookies",
    "django_sessions",
    "endpoint",
    "exception_handler",
    "hiding",
    "http",
    "me_views",
    "middleware",
    "openapi",
    "pages",
    "parsers",
    "password_views",
    "public",
    "quoting",
    "renderers",
    "schema",
    "schema_groups",
    "serializers",
    "session_cards",
    "session_pages",
    "session_views",
    "sign_in_form",
    "sign_in_refusals",
    "throttles",
    "time_zones",
    "token_limits",
    "views",
    "well_known",
]
