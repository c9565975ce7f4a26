"""Django's settings, read from the environment. ``.env.example`` documents every name."""

from datetime import timedelta
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from tokens.conf import Settings

from .env import ROOT, Environment

env = Environment()

# Security

SECRET_KEY = env.secret("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.secrets("SECRET_KEY_FALLBACKS")
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
CSRF_COOKIE_SECURE = HTTPS
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
TOKENS_SECRET_FALLBACKS = env.secrets("TOKEN_SECRET_FALLBACKS")
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
TOKENS_TRUSTED_PROXIES = env.whole_number(
    "TRUSTED_PROXIES", Settings.TOKENS_TRUSTED_PROXIES.default, at_most=10
)

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
]

MIDDLEWARE = [
    "config.request_id.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
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

DATABASES: dict[str, dict[str, Any]] = {
    "default": env.database("DATABASE_URL", default_path=ROOT / "db.sqlite3")
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # Keep a thread's connection: opening one costs more than a request's query, and writes files
    # beside the database, which fails when the disk is full.
    DATABASES["default"]["CONN_MAX_AGE"] = None
    DATABASES["default"]["OPTIONS"] = {
        # Writers queue at their BEGIN. With a deferred BEGIN they fail with "database is locked".
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,  # seconds
        # FULL: a confirmed revocation survives a power cut, in WAL mode too. A page cache of 16 MB,
        # allocated as needed, holds the upper levels of the indexes of ten million rows. SQLite's
        # default of 2 MB does not, so it reads the same pages again and again.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-16000;",
    }
else:
    DATABASES["default"]["OPTIONS"] = {
        # The number of executions before a statement is prepared; None: never. Django's own queries
        # are never prepared, so this affects only those of tokens/compiled_sql.py.
        "prepare_threshold": 5,
        **DATABASES["default"].get("OPTIONS", {}),
        "pool": {"min_size": 1, "max_size": 10, "timeout": 3},  # per process; seconds
        # How long to wait for a host that does not answer: seconds, and then milliseconds.
        "connect_timeout": 3,
        "tcp_user_timeout": 10_000,
    }
CACHES = {"default": env.cache("CACHE_URL")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

STATIC_URL = "static/"
STATICFILES_DIRS = [ROOT / "config" / "static"]
STATIC_ROOT = ROOT / "staticfiles"

# Users

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.AccountBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
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
TIME_ZONE = "UTC"
USE_TZ = True

EMAIL_TIMEOUT = 10  # seconds; mail is sent before the answer, which waits for the mail server

# API

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["tokens.authentication.JWTAuthentication"],
    "DEFAULT_RENDERER_CLASSES": [
        "rest_framework.renderers.JSONRenderer",
        "tokens.api.renderers.BrowsableAPIRenderer",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": [
        "config.parsers.CarefulJSONParser",
        "config.parsers.CarefulFormParser",
        "config.parsers.CarefulMultiPartParser",
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
CORS_URLS_REGEX = r"^/(api|\.well-known)/.*$"

# Logs

LOG_FORMAT = env.choice("LOG_FORMAT", "text", ("text", "json"))
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "text": {"()": "config.logs.TextFormatter"},
        "json": {"()": "config.logs.JSONFormatter"},
    },
    "filters": {"request_id": {"()": "config.logs.RequestIdFilter"}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": LOG_FORMAT,
            "filters": ["request_id"],
        }
    },
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "tokens": {"level": "INFO"},
        "django": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
    },
}
