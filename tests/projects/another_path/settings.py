from tests.projects.with_admin import *  # noqa: F403

APP = "project.apps.tokens"
ROOT_URLCONF = "project.urls"
INSTALLED_APPS = [*OTHER_APPS, APP]  # noqa: F405
MIDDLEWARE = [
    *OTHER_MIDDLEWARE,  # noqa: F405
    f"{APP}.api.django_sessions.DjangoSessionMiddleware",
    f"{APP}.api.middleware.TokenCookieMiddleware",
]
DATABASE_ROUTERS = [f"{APP}.routers.PrimaryRouter"]
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [f"{APP}.authentication.JWTAuthentication"],
    "DEFAULT_RENDERER_CLASSES": [
        "rest_framework.renderers.JSONRenderer",
        f"{APP}.api.renderers.BrowsableAPIRenderer",
    ],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_CLASSES": [f"{APP}.api.throttles.PasswordThrottle"],
    "EXCEPTION_HANDLER": f"{APP}.api.exception_handler.exception_handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "POSTPROCESSING_HOOKS": [f"{APP}.api.schema.add_common_answers"],
    "SERVE_AUTHENTICATION": [],
}
