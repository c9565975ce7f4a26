import os

from tests.projects.with_admin import *  # noqa: F403

# A user with a second device is sent mail.
from tests.support.mail_in_memory import *  # noqa: F403

ROOT_URLCONF = "tests.projects.branded.urls"
ALLOWED_HOSTS = ["*", ".acme.example"]
SITE = os.environ.get("SITE", "setting")
if SITE == "setting":
    TOKENS_SITE_NAME = "Acme & Sons"
    TOKENS_HOME_URL = "shop"
INSTALLED_APPS = [
    *OTHER_APPS,  # noqa: F405
    *(["django.contrib.sites"] if SITE == "sites" else []),
    "tokens",
]
SITE_ID = 1
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
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["tokens.authentication.JWTAuthentication"],
    "DEFAULT_RENDERER_CLASSES": [
        "rest_framework.renderers.JSONRenderer",
        "tokens.api.renderers.BrowsableAPIRenderer",
    ],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "tokens.api.exception_handler.exception_handler",
}
SPECTACULAR_SETTINGS = {"TITLE": "Acme", "SERVE_AUTHENTICATION": []}
TOKENS_NOTIFY_USERS = True
TOKENS_COOKIE_SECURE = False
