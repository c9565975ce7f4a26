from .common import *  # noqa: F403
from .common import COMMON_APPS

INSTALLED_APPS = COMMON_APPS
MIDDLEWARE: list[str] = []
ROOT_URLCONF = "tests.takeover.site.former_urls"
WSGI_APPLICATION = "tests.takeover.site.wsgi.application"
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework_simplejwt.authentication.JWTAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
}
