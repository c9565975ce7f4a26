import os
from typing import Any

import dj_database_url

from tests.projects.with_admin import *  # noqa: F403
from tests.support.mail_in_memory import *  # noqa: F403

# Without USE_TZ, or with a TIME_ZONE in DATABASES.
USE_TZ = os.environ["USE_TZ"] == "yes"
TIME_ZONE = "Europe/Berlin"
ROOT_URLCONF = "tests.projects.local_times.urls"
database: Any = dj_database_url.parse(os.environ["DATABASE_URL"])
database["TEST"] = {"NAME": os.environ["TEST_DATABASE"]}
database["TIME_ZONE"] = TIME_ZONE if USE_TZ else None
if database["ENGINE"].endswith("postgresql"):
    # Compiled statements are prepared, with a cursor of their own.
    database["OPTIONS"] = {"prepare_threshold": 0}
DATABASES = {"default": database}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
TOKENS_NOTIFY_USERS = True
INSTALLED_APPS = [*OTHER_APPS, "tokens"]  # noqa: F405
MIDDLEWARE = [*OTHER_MIDDLEWARE, "tokens.api.middleware.TokenCookieMiddleware"]  # noqa: F405
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
