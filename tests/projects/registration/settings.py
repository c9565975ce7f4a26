from tests.projects.with_admin import *  # noqa: F403

ROOT_URLCONF = "project.urls"
INSTALLED_APPS = [*OTHER_APPS, "tokens"]  # noqa: F405
MIDDLEWARE = [
    "tokens.api.middleware.ClientMiddleware",
    *OTHER_MIDDLEWARE,  # noqa: F405
    "tokens.api.django_sessions.DjangoSessionMiddleware",
    "tokens.api.middleware.TokenCookieMiddleware",
]
AUTHENTICATION_BACKENDS = [
    "tokens.backends.SignInLimitBackend",
    "django.contrib.auth.backends.ModelBackend",
]
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["tokens.authentication.JWTAuthentication"],
    "DEFAULT_RENDERER_CLASSES": [
        "rest_framework.renderers.JSONRenderer",
        "tokens.api.renderers.BrowsableAPIRenderer",
    ],
    "EXCEPTION_HANDLER": "tokens.api.exception_handler.exception_handler",
}
DEFAULT_FROM_EMAIL = "accounts@example.org"
