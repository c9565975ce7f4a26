from tests.projects.with_admin import *  # noqa: F403

ROOT_URLCONF = "tests.projects.own_schema.urls"
INSTALLED_APPS = [*OTHER_APPS, "tokens"]  # noqa: F405
MIDDLEWARE = OTHER_MIDDLEWARE  # noqa: F405
REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_AUTHENTICATION_CLASSES": ["tokens.authentication.JWTAuthentication"],
}
