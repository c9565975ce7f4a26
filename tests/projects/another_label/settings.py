from tests.projects.with_admin import *  # noqa: F403

ROOT_URLCONF = "tests.projects.another_label.urls"
INSTALLED_APPS = [
    *OTHER_APPS,  # noqa: F405
    "tests.projects.another_label.tickets.apps.TicketsConfig",
    "tests.projects.another_label.apps.LatchkeyConfig",
]
MIDDLEWARE = [*OTHER_MIDDLEWARE, "tokens.api.middleware.TokenCookieMiddleware"]  # noqa: F405
DATABASE_ROUTERS = ["tokens.routers.PrimaryRouter"]
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["tokens.authentication.JWTAuthentication"],
    "DEFAULT_RENDERER_CLASSES": [
        "rest_framework.renderers.JSONRenderer",
        "tokens.api.renderers.BrowsableAPIRenderer",
    ],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_CLASSES": ["tokens.api.throttles.PasswordThrottle"],
    "EXCEPTION_HANDLER": "tokens.api.exception_handler.exception_handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "POSTPROCESSING_HOOKS": ["tokens.api.schema.add_common_answers"],
    "SERVE_AUTHENTICATION": [],
}
