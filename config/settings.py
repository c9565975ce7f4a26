"""Django's settings, read from the environment. ``.env.example`` documents every name."""

from datetime import timedelta
from typing import Any

import django
from corsheaders.defaults import default_headers
from django.core.exceptions import ImproperlyConfigured

from tokens.conf import Settings

from .database_options import with_options
from .env import ROOT, Environment
from .log_settings import log_settings

env = Environment()

# Where the development servers of front ends listen: Next.js and webpack, Vite's preview, Angular,
# Vite, Vue. They pass requests on to this site, some of them with its own Host.
DEVELOPMENT_ORIGINS = tuple(
    f"http://{host}:{port}"
    for host in ("localhost", "127.0.0.1")
    for port in (3000, 4173, 4200, 5173, 8080)
)

# Security

SECRET_KEY = env.secret("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.former_secrets(
    "SECRET_KEY_FALLBACKS",
    way_out="A person who guesses it can forge what Django signs. Users whose sessions depend on it must "
    "sign in again.",
)
DEBUG = env.flag("DEBUG", default=False)
ALLOWED_HOSTS = env.hosts("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
HTTPS = env.flag("HTTPS", default=not DEBUG)

SECURE_SSL_REDIRECT = HTTPS
# A load balancer requests these two without TLS. Neither returns anything confidential.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = int(timedelta(days=365).total_seconds()) if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SESSION_COOKIE_SECURE = HTTPS
# No other host of the domain can set a cookie with the prefix.
SESSION_COOKIE_NAME = "__Host-sessionid" if HTTPS else "sessionid"
CSRF_COOKIE_SECURE = HTTPS
CSRF_TRUSTED_ORIGINS = env.origins(
    "CSRF_TRUSTED_ORIGINS", default=DEVELOPMENT_ORIGINS if DEBUG else ()
)
CSRF_FAILURE_VIEW = "config.errors.csrf_failure"
X_FRAME_OPTIONS = "DENY"
# No browser runs, loads, sends or frames what an attacker has injected into a page.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}

# Tokens

# What the environment does not set has the default that the app declares. docs/settings.md has the
# settings of the app that are not read from the environment.
TOKENS_SECRET = env.secret("TOKEN_SECRET")
TOKENS_SECRET_FALLBACKS = env.former_secrets(
    "TOKEN_SECRET_FALLBACKS",
    way_out="If signing keys are still encrypted with it, anyone with a copy of the database could "
    'have read them: run "manage.py rotate_secret --revoke-previous --secret-lost", which replaces '
    "them and signs out every user.",
)
TOKENS_ISSUER = env.word("TOKEN_ISSUER", Settings.TOKENS_ISSUER.default)
TOKENS_AUDIENCE = env.word("TOKEN_AUDIENCE", Settings.TOKENS_AUDIENCE.default)
TOKENS_ALGORITHM = env.choice(
    "TOKEN_ALGORITHM",
    Settings.TOKENS_ALGORITHM.default,
    ("HS256", "HS384", "HS512", "RS256", "PS256", "ES256", "EdDSA"),
)
TOKENS_ACCESS_LIFETIME = env.seconds(
    "ACCESS_TOKEN_LIFETIME", Settings.TOKENS_ACCESS_LIFETIME.default
)
TOKENS_REFRESH_LIFETIME = env.seconds(
    "REFRESH_TOKEN_LIFETIME", Settings.TOKENS_REFRESH_LIFETIME.default
)
TOKENS_SESSION_LIFETIME = env.seconds("SESSION_LIFETIME", Settings.TOKENS_SESSION_LIFETIME.default)
TOKENS_REFRESH_GRACE = env.seconds(
    "REFRESH_TOKEN_GRACE", Settings.TOKENS_REFRESH_GRACE.default, at_least=0
)
TOKENS_LOGIN_THROTTLE = env.rate("LOGIN_THROTTLE", Settings.TOKENS_LOGIN_THROTTLE.default)
TOKENS_COOKIE_SECURE = HTTPS
TOKENS_SITE_NAME = "Latchkey"
TOKENS_ME_SERIALIZER = "accounts.serializers.MeSerializer"
TOKENS_TRUSTED_PROXIES = env.whole_number(
    "TRUSTED_PROXIES", Settings.TOKENS_TRUSTED_PROXIES.default, at_most=10
)

# The feed of denials is off unless it is said who may read it: its signing key cannot be an HMAC key.
FEED_READERS = env.choice("FEED_READERS", "", ("", "services", "everybody"))
TOKENS_FEED_READERS = FEED_READERS or Settings.TOKENS_FEED_READERS.default

if not TOKENS_ACCESS_LIFETIME < TOKENS_REFRESH_LIFETIME <= TOKENS_SESSION_LIFETIME:
    raise ImproperlyConfigured(
        f"ACCESS_TOKEN_LIFETIME is {TOKENS_ACCESS_LIFETIME}, REFRESH_TOKEN_LIFETIME is "
        f"{TOKENS_REFRESH_LIFETIME} and SESSION_LIFETIME is {TOKENS_SESSION_LIFETIME}. The first "
        "must be shorter than the second, and the second at most the third."
    )
if TOKENS_SECRET in {SECRET_KEY, *SECRET_KEY_FALLBACKS}:
    raise ImproperlyConfigured(
        "TOKEN_SECRET equals SECRET_KEY or one of SECRET_KEY_FALLBACKS. Set it to another value, so "
        "that one leak is not two."
    )
if not {SECRET_KEY, *SECRET_KEY_FALLBACKS}.isdisjoint(TOKENS_SECRET_FALLBACKS):
    raise ImproperlyConfigured(
        "TOKEN_SECRET_FALLBACKS contains SECRET_KEY or one of SECRET_KEY_FALLBACKS, so one leak is "
        "two. Remove that value from TOKEN_SECRET_FALLBACKS. If signing keys are still encrypted with "
        "it, set SECRET_KEY to another value, and remove the former one from SECRET_KEY_FALLBACKS."
    )
if TOKENS_SECRET in TOKENS_SECRET_FALLBACKS:
    raise ImproperlyConfigured(
        "TOKEN_SECRET_FALLBACKS contains TOKEN_SECRET. List only former values in it."
    )

if TOKENS_TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# Applications

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "corsheaders",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "accounts",
    "tokens",
    "tokens.tickets",
]
if FEED_READERS:
    INSTALLED_APPS.append("tokens.feed")

MIDDLEWARE = [
    "config.request_id.RequestIdMiddleware",
    "config.https.HTTPSOnlyMiddleware",
    "config.cookies.ExactCookieNamesMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.content_policy.ContentPolicyMiddleware",
    "config.cors.OptionalCorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "config.languages.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "tokens.api.middleware.ReadableRequestMiddleware",
    "tokens.api.middleware.ClientMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "tokens.api.django_sessions.DjangoSessionMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "tokens.api.middleware.TokenCookieMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
# A path without its last slash answers 404: a redirect would drop the body of a POST.
APPEND_SLASH = DEBUG

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "config" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# Storage

database = with_options(env.database("DATABASE_URL", default_path=ROOT / "db.sqlite3"))
DATABASES = {"default": database}
CACHES = {"default": env.cache("CACHE_URL")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

STATIC_URL = "static/"
STATICFILES_DIRS = [ROOT / "config" / "static"]
STATIC_ROOT = ROOT / "staticfiles"

# Users

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "tokens.backends.SignInLimitBackend",
    "accounts.backends.AccountBackend",
]
PASSWORD_HASHERS = [
    "config.hashers.LowPriorityArgon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "django.contrib.auth.hashers.ScryptPasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

LANGUAGE_CODE = "en-us"
# Those of the catalogues, each by its own name. Browsers say which of them a person reads.
LANGUAGES = [
    ("en", "English"),
    ("de", "Deutsch"),
    ("es", "español"),
    ("fr", "français"),
    ("pt-br", "português (Brasil)"),
]
LOCALE_PATHS = [ROOT / "config" / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True

MAIL = {"host": "localhost", "timeout": 10}  # seconds; the answer waits for the mail server
if django.VERSION < (6, 1):
    EMAIL_TIMEOUT = MAIL["timeout"]
else:
    MAILERS: dict[str, dict[str, Any]] = {"default": {"OPTIONS": MAIL}}

# API

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["tokens.authentication.JWTAuthentication"],
    "DEFAULT_RENDERER_CLASSES": [
        "rest_framework.renderers.JSONRenderer",
        "tokens.api.renderers.BrowsableAPIRenderer",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": [
        "tokens.api.parsers.CarefulJSONParser",
        "tokens.api.parsers.CarefulFormParser",
        "tokens.api.parsers.CarefulMultiPartParser",
    ],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_CLASSES": ["tokens.api.throttles.PasswordThrottle"],
    "EXCEPTION_HANDLER": "tokens.api.exception_handler.exception_handler",
    "NUM_PROXIES": TOKENS_TRUSTED_PROXIES,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Latchkey",
    "DESCRIPTION": "JWT authentication whose tokens can be revoked.",
    "VERSION": "0.1.0",
    "OAS_VERSION": "3.1.0",
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": [],
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "tokens.api.schema.add_common_answers",
    ],
}

CORS_ALLOWED_ORIGINS = env.origins("CORS_ALLOWED_ORIGINS")
# The JWK Set is readable from every origin, which its own view says.
CORS_URLS_REGEX = r"^/api/.*$"
# What a page of another origin may read of an answer, and send with a request.
CORS_EXPOSE_HEADERS = ["Retry-After", "WWW-Authenticate", "X-Request-ID"]
CORS_ALLOW_HEADERS = [*default_headers, "x-request-id", "traceparent", "tracestate", "baggage"]

# Logs

LOGGING = log_settings(env.choice("LOG_FORMAT", "text", ("text", "json")))
