"""The projects, by name: each has one thing that the first does not have."""

from typing import Any

PLAIN = "nothing set"
ONLY_JSON = "only JSON is rendered"
DRF_SCHEMA = "DRF's own schema"

_DRF = "rest_framework"
_OWN = "tests.projects.defaults.classes"

# For REST_FRAMEWORK.
DEFAULTS: dict[str, dict[str, Any]] = {
    PLAIN: {},
    "as docs/installing.md says": {
        "DEFAULT_AUTHENTICATION_CLASSES": ["tokens.authentication.JWTAuthentication"],
        "DEFAULT_RENDERER_CLASSES": [
            f"{_DRF}.renderers.JSONRenderer",
            "tokens.api.renderers.BrowsableAPIRenderer",
        ],
        "EXCEPTION_HANDLER": "tokens.api.exception_handler.exception_handler",
    },
    "only JSON is parsed": {"DEFAULT_PARSER_CLASSES": [f"{_DRF}.parsers.JSONParser"]},
    "only forms are parsed": {"DEFAULT_PARSER_CLASSES": [f"{_DRF}.parsers.FormParser"]},
    "camel case": {
        "DEFAULT_RENDERER_CLASSES": [
            "djangorestframework_camel_case.render.CamelCaseJSONRenderer",
            "djangorestframework_camel_case.render.CamelCaseBrowsableAPIRenderer",
        ],
        "DEFAULT_PARSER_CLASSES": [
            "djangorestframework_camel_case.parser.CamelCaseJSONParser",
            "djangorestframework_camel_case.parser.CamelCaseFormParser",
            "djangorestframework_camel_case.parser.CamelCaseMultiPartParser",
        ],
    },
    ONLY_JSON: {"DEFAULT_RENDERER_CLASSES": [f"{_DRF}.renderers.JSONRenderer"]},
    "answers in an envelope": {
        "DEFAULT_RENDERER_CLASSES": [
            f"{_OWN}.EnvelopeRenderer",
            f"{_DRF}.renderers.BrowsableAPIRenderer",
        ]
    },
    "ordering": {"DEFAULT_FILTER_BACKENDS": [f"{_DRF}.filters.OrderingFilter"]},
    "search": {"DEFAULT_FILTER_BACKENDS": [f"{_DRF}.filters.SearchFilter"]},
    "pages by number": {
        "DEFAULT_PAGINATION_CLASS": f"{_DRF}.pagination.PageNumberPagination",
        "PAGE_SIZE": 3,
    },
    "closed by default": {
        "DEFAULT_PERMISSION_CLASSES": [f"{_DRF}.permissions.IsAdminUser"],
        "DEFAULT_AUTHENTICATION_CLASSES": [],
    },
    "nobody is let in": {"DEFAULT_PERMISSION_CLASSES": [f"{_OWN}.Nobody"]},
    "throttled": {
        "DEFAULT_THROTTLE_CLASSES": [
            f"{_DRF}.throttling.AnonRateThrottle",
            f"{_DRF}.throttling.UserRateThrottle",
        ],
        "DEFAULT_THROTTLE_RATES": {"anon": "1/day", "user": "1/day"},
    },
    "no authentication": {"DEFAULT_AUTHENTICATION_CLASSES": []},
    "sessions of Django": {
        "DEFAULT_AUTHENTICATION_CLASSES": [f"{_DRF}.authentication.SessionAuthentication"]
    },
    "another bearer token": {"DEFAULT_AUTHENTICATION_CLASSES": [f"{_OWN}.OtherBearer"]},
    "tokens are optional": {
        "DEFAULT_AUTHENTICATION_CLASSES": ["tokens.authentication.OptionalJWTAuthentication"]
    },
    "its own negotiation": {"DEFAULT_CONTENT_NEGOTIATION_CLASS": f"{_OWN}.AlwaysTheLast"},
    "its own metadata": {"DEFAULT_METADATA_CLASS": f"{_OWN}.NoMetadata"},
    "no metadata": {"DEFAULT_METADATA_CLASS": None},
    "versions in the path": {
        "DEFAULT_VERSIONING_CLASS": f"{_DRF}.versioning.URLPathVersioning",
        "ALLOWED_VERSIONS": ["v1"],
    },
    "versions by namespace": {
        "DEFAULT_VERSIONING_CLASS": f"{_DRF}.versioning.NamespaceVersioning",
        "ALLOWED_VERSIONS": ["v1"],
    },
    "versions by header": {
        "DEFAULT_VERSIONING_CLASS": f"{_DRF}.versioning.AcceptHeaderVersioning",
        "ALLOWED_VERSIONS": ["v1"],
    },
    "versions by host": {
        "DEFAULT_VERSIONING_CLASS": f"{_DRF}.versioning.HostNameVersioning",
        "ALLOWED_VERSIONS": ["v1"],
    },
    "versions in the query": {
        "DEFAULT_VERSIONING_CLASS": f"{_DRF}.versioning.QueryParameterVersioning",
        "ALLOWED_VERSIONS": ["v1"],
        "VERSION_PARAM": "sid",
    },
    "nobody is None": {"UNAUTHENTICATED_USER": None, "UNAUTHENTICATED_TOKEN": None},
    "its own formats": {
        "DATETIME_FORMAT": "%d.%m.%Y",
        "UNICODE_JSON": False,
        "COMPACT_JSON": False,
        "STRICT_JSON": False,
        "COERCE_DECIMAL_TO_STRING": False,
        "NON_FIELD_ERRORS_KEY": "errors",
    },
    DRF_SCHEMA: {"DEFAULT_SCHEMA_CLASS": f"{_DRF}.schemas.openapi.AutoSchema"},
    "spectacular's schema": {"DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema"},
    "an exception handler that passes on": {
        "EXCEPTION_HANDLER": "tests.projects.defaults.handlers.passing_on"
    },
}

# For the URLconf: its name there, and the prefix of the addresses.
PLACES = {
    "a version": ("versioned", "/api/v1/"),
    "a namespace": ("namespaced", "/api/"),
    "nested namespaces": ("nested", "/outer/api/"),
    "languages": ("localised", "/en/api/"),
    "a tenant and a version": ("tenants", "/7/v1/api/"),
    "a group without a name": ("grouped", "/api/v1/"),
}

MIDDLEWARE = {
    "sign-in required": ["django.contrib.auth.middleware.LoginRequiredMiddleware"],
    "a language from the path": ["django.middleware.locale.LocaleMiddleware"],
}

NAMES = [*DEFAULTS, *PLACES, *MIDDLEWARE]


def is_meant_to_differ(variant: str, door: str) -> bool:
    """Return whether the project's decision to offer no HTML pages is the difference."""
    return variant == ONLY_JSON and ("page" in door or "html" in door or "options" in door)
